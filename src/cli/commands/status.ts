/**
 * `fotor-relay status`: is it well, what has it done, what waits and why, and which replicas there are.
 */
import type { Command } from 'commander'
import type { Page, ReadinessAnswer, ReplicaAnswer, StatsAnswer, SubscriberAnswer } from '../../admin/answers.js'
import { addApiOptions, addExamples, addJsonOption, openApi } from '../api-command.js'
import { counted } from '../counted.js'
import type { ApiFlags } from '../command-line.js'
import type { ProgramDeps } from '../deps.js'
import { plainText } from '../plain-text.js'
import type { Terminal } from '../terminal.js'
import { ago, exactTime, shortly } from '../times.js'

const MEGABYTE = 1024 * 1024

interface StatusFlags extends ApiFlags { json?: true }

/** Adds the command. */
export function addStatus (program: Command, deps: ProgramDeps): void {
  const command = program.command('status')
    .description('Show the health of the gateway, its counters, and what waits for each subscriber.')
    .action(async (flags: StatusFlags) => { await status(flags, deps) })
  addJsonOption(command)
  addExamples(addApiOptions(command), [
    ['status', 'an overview'],
    ['status --json | jq .stats.backlog', 'numbers for a script']
  ])
}

async function status ({ json, ...place }: StatusFlags, deps: ProgramDeps): Promise<void> {
  const { terminal } = deps
  const api = await openApi(place, deps)
  const readiness = (await api.probe('/readyz')).document as ReadinessAnswer | null
  if (json !== true && readiness !== null) writeReadiness(readiness, api.url, terminal)
  const [stats, subscribers] = await Promise.all([
    api.get<StatsAnswer>('/stats'), api.get<Page<SubscriberAnswer>>('/subscribers')
  ])
  if (json === true) return terminal.json({ readiness, stats, subscribers: subscribers.items })
  writeStats(stats, terminal)
  writeReplicas(stats.replicas ?? [], terminal) // a gateway of an older release names none
  terminal.out('')
  writeSubscribers(subscribers.items, terminal)
}

function writeReadiness ({ status, reasons }: ReadinessAnswer, url: string, { out, paint }: Terminal): void {
  const words = { ok: paint.green('ready'), degraded: paint.yellow('ready, but degraded'), unavailable: paint.red('not ready') }
  out(`${url}  ${words[status] ?? plainText(status)}`)
  for (const reason of reasons) out(`  ${paint.yellow('!')} ${plainText(reason)}`)
}

function writeStats ({ counters, events, memory, process }: StatsAnswer, { out, paint }: Terminal): void {
  out(`  version ${plainText(process.version)}, up ${shortly(process.uptimeSeconds * 1_000)}, pid ${process.pid}, ${plainText(process.redis)} Redis, ${plainText(process.configFile)}`)
  out(`  ${counters.accepted} accepted, ${counted(counters.duplicates, 'duplicate')}, ${counters.delivered} delivered, ${counters.failed} failed; ${counted(events, 'event')} in the record`)
  if (memory !== undefined && memory !== null) {
    out(`  ${Math.floor(memory.usedBytes / memory.maxBytes * 100)} % of ${Math.floor(memory.maxBytes / MEGABYTE)} MB of Redis used`)
  }
  const { deletedEarly = 0 } = counters
  if (deletedEarly > 0) out(`  ${paint.yellow('!')} ${counted(deletedEarly, 'event')} deleted before their retention ended, because memory was short`)
}

/** One alone is the one above. */
function writeReplicas (replicas: readonly ReplicaAnswer[], terminal: Terminal): void {
  if (replicas.length < 2) return
  const nowMs = Date.now()
  const { paint } = terminal
  terminal.out('')
  terminal.table(replicas, [
    { title: 'replica', text: ({ host, self }) => self ? `${host} (this)` : host, least: 10 },
    { title: 'pid', text: ({ pid }) => String(pid), align: 'right' },
    { title: 'role', text: ({ role }) => role },
    { title: 'version', text: ({ version }) => version },
    { title: 'started', text: ({ startedAt }) => ago(startedAt, nowMs) },
    { title: 'configuration', text: ({ configuration, differs }) => differs ? `${configuration} differs` : configuration, paint: (cell, { differs }) => differs ? paint.yellow(cell) : cell }
  ])
}

function writeSubscribers (subscribers: readonly SubscriberAnswer[], terminal: Terminal): void {
  if (subscribers.length === 0) return terminal.out('No subscribers: events are recorded, but not delivered.')
  const nowMs = Date.now()
  const { paint } = terminal
  terminal.table(subscribers, [
    { title: 'subscriber', text: ({ name }) => name, least: 10 },
    { title: 'state', text: stateOf, paint: (cell, { heldBy }) => heldBy === null ? paint.green(cell) : paint.yellow(cell) },
    { title: 'waiting', text: ({ counts }) => String(counts.open), align: 'right' },
    { title: 'held', text: ({ counts }) => String(counts.held), align: 'right' },
    { title: 'failed', text: ({ counts }) => String(counts.failed), align: 'right', paint: (cell, { counts }) => counts.failed > 0 ? paint.red(cell) : cell },
    { title: 'delivered', text: ({ counts }) => String(counts.delivered), align: 'right' },
    { title: 'oldest', text: ({ oldestWaitingAt }) => ago(oldestWaitingAt, nowMs) },
    { title: 'last success', text: ({ lastSuccessAt }) => ago(lastSuccessAt, nowMs) },
    { title: 'last error', text: ({ lastError }) => lastError ?? '', least: 10, paint: paint.dim }
  ])
}

function stateOf ({ heldBy, heldUntil, breaker }: SubscriberAnswer): string {
  if (heldBy !== null) return `held: ${heldBy}${typeof heldUntil === 'string' ? ` until ${exactTime(heldUntil)}` : ''}`
  return breaker === 'closed' ? 'active' : `breaker ${breaker}`
}
