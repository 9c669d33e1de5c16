/**
 * `fotor-relay replay`: orders deliveries to be made again, and watches them
 * when asked to.
 */
import { InvalidArgumentError, type Command } from 'commander'
import type { AdminApi } from '../admin-api.js'
import type { ReplayAnswer } from '../../admin/answers.js'
import { addApiOptions, addExamples, openApi } from '../api-command.js'
import { commandLine, type ApiFlags } from '../command-line.js'
import { counted } from '../counted.js'
import type { ProgramDeps } from '../deps.js'
import { parseDuration } from '../../config/duration.js'
import { badUsage } from '../failure.js'
import { addFilters, collect, filtersOf, wholeNumber, type FilterFlags } from '../filters.js'
import type { Terminal } from '../terminal.js'
import { watchReplay } from '../watch-replay.js'

interface ReplayFlags extends FilterFlags, ApiFlags {
  eventId?: string[]
  all?: true
  newId?: true
  rate?: number
  dryRun?: true
  /** `true`, or at most so many milliseconds. */
  wait?: true | number
  cancel?: string
  json?: true
}

interface Ordered { id: string | null, matched: number }

const MAX_RATE = 100_000

/** Adds the command. */
export function addReplay (program: Command, deps: ProgramDeps): void {
  const command = program.command('replay')
    .description('Deliver again: failed deliveries, or those that match the filters. A replay gets a new budget of attempts and ignores deduplication.')
    .option('--dry-run', 'only count the deliveries')
    .option('--new-id', 'give each delivery a new webhook-id, so that subscribers treat it as a new event')
    .option('--rate <number>', `deliveries queued per second, 1 to ${MAX_RATE} (default: no limit)`, wholeNumber(1, MAX_RATE))
    .option('--wait [duration]', 'wait until every delivery has ended, at most this long (such as 10m) if given; exit code 1 if one failed', durationMs)
    .option('--all', 'all failed deliveries of every subscriber; required without a filter')
    .option('--cancel <id>', 'cancel this replay (rpl_…): queue no more of its deliveries')
    .option('--json', 'print the answer as one JSON document')
    .action(async (flags: ReplayFlags) => { await replay(flags, deps) })
  addFilters(command, 'failed (when not said, unless tasks or events are named), delivered, discarded, retrying, held, any, or missing: what a subscriber never had')
  command.option('--event-id <ids>', 'ids of events; may be repeated', collect)
  addExamples(addApiOptions(command), [
    ['replay --subscriber billing --since 6h --dry-run', 'how many deliveries to billing failed in the last six hours'],
    ['replay --subscriber billing --since 6h --rate 20 --wait', 'delivers them again, at most 20 a second, and waits for the end'],
    ['replay --subscriber reports --state missing --since 7d', 'gives a new subscriber what arrived before it was there'],
    ['replay --event-id evt_01JQ4Z8XK3V7M2N9P5R6S8T0WA --new-id', 'one event, whatever became of it']
  ])
}

async function replay (flags: ReplayFlags, deps: ProgramDeps): Promise<void> {
  const { terminal } = deps
  if (flags.cancel !== undefined) return await cancel(flags.cancel, flags, deps)
  const order = orderOf(flags)
  const api = await openApi(flags, deps)
  const answer = await api.post<Ordered>('/replays', order)
  if (flags.dryRun === true || answer.id === null) {
    return flags.json === true ? terminal.json(answer) : terminal.out(`${counted(answer.matched, 'delivery', 'deliveries')} would be replayed.`)
  }
  if (flags.wait !== undefined) return await finish(api, answer.id, { flags, terminal })
  if (flags.json === true) return terminal.json(answer)
  terminal.out(`${answer.id}: ${counted(answer.matched, 'delivery', 'deliveries')} will be replayed.`)
  terminal.error(`Cancel it with: ${api.command(`replay --cancel ${answer.id}`)}`)
}

function orderOf (flags: ReplayFlags): object {
  const order = { ...filtersOf(flags), ...(flags.eventId === undefined ? {} : { eventIds: flags.eventId }) }
  if (Object.keys(order).length === 0 && flags.all !== true) {
    throw badUsage('say what to replay: at least one filter, or --all for everything that failed', `count first with: ${commandLine('replay --all --dry-run', flags)}`)
  }
  return {
    ...order,
    ...(flags.all === true ? { all: true } : {}),
    ...(flags.newId === true ? { newId: true } : {}),
    ...(flags.rate === undefined ? {} : { ratePerSecond: flags.rate }),
    ...(flags.dryRun === true ? { dryRun: true } : {})
  }
}

function durationMs (written: string): number {
  const reading = parseDuration(written)
  if ('value' in reading) return reading.value
  throw new InvalidArgumentError(`It ${reading.problem}: ${reading.hint ?? 'write 10m'}.`)
}

async function finish (api: AdminApi, id: string, { flags, terminal }: { flags: ReplayFlags, terminal: Terminal }): Promise<void> {
  terminal.error(`${id} runs; it goes on when you leave with Ctrl-C.`)
  const atMostMs = typeof flags.wait === 'number' ? flags.wait : Infinity
  const end = await watchReplay(api, id, { progress: terminal.progress(), atMostMs })
  if (flags.json === true) terminal.json(end.replay)
  else terminal.out(`${end.replay.id}: ${end.replay.delivered} delivered, ${end.replay.failed} failed, of ${counted(end.replay.queued, 'delivery', 'deliveries')}.`)
  if (end.failure !== null) throw end.failure
}

async function cancel (id: string, flags: ReplayFlags, deps: ProgramDeps): Promise<void> {
  const api = await openApi(flags, deps)
  const replay = await api.post<ReplayAnswer>(`/replays/${encodeURIComponent(id)}/cancel`)
  if (flags.json === true) return deps.terminal.json(replay)
  deps.terminal.out(`${replay.id} is ${replay.state}: ${replay.queued} of ${counted(replay.matched, 'delivery', 'deliveries')} were put back and stay in their queues.`)
}
