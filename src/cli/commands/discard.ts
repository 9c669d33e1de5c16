/**
 * `fotor-relay discard`: gives deliveries up for good, after it has said how
 * many they are.
 */
import type { Command } from 'commander'
import type { AdminApi } from '../admin-api.js'
import { addApiOptions, addExamples, openApi } from '../api-command.js'
import { commandLine, type ApiFlags } from '../command-line.js'
import { counted } from '../counted.js'
import type { ProgramDeps } from '../deps.js'
import { badUsage, CommandFailure } from '../failure.js'
import { addFilters, filtersOf, type FilterFlags } from '../filters.js'

interface DiscardFlags extends FilterFlags, ApiFlags { all?: true, dryRun?: true, yes?: true, json?: true }

interface Discarded { matched: number, discarded: number }

/** Adds the command. */
export function addDiscard (program: Command, deps: ProgramDeps): void {
  const command = program.command('discard')
    .description('Discard deliveries: they are not sent unless they are replayed. Asks for confirmation.')
    .option('--all', 'every delivery that can be discarded; required without a filter')
    .option('--dry-run', 'only count the deliveries')
    .option('--yes', 'do not ask for confirmation (required without a terminal)')
    .option('--json', 'print the answer as one JSON document')
    .action(async (flags: DiscardFlags) => { await discard(flags, deps) })
  addFilters(command, 'queued, retrying, held, failed')
  addExamples(addApiOptions(command), [
    ['discard --subscriber retired --dry-run', 'how many deliveries wait for a subscriber that is gone'],
    ['discard --subscriber retired --state failed --until 30d --yes', 'gives up what failed more than 30 days ago']
  ])
}

async function discard (flags: DiscardFlags, deps: ProgramDeps): Promise<void> {
  const { terminal } = deps
  const filters = filtersOf(flags)
  if (Object.keys(filters).length === 0 && flags.all !== true) {
    throw badUsage('say which deliveries: at least one filter, or --all', `see them first with: ${commandLine('events --state failed,held', flags)}`)
  }
  const order = { ...filters, ...(flags.all === true ? { all: true } : {}) }
  const asks = flags.dryRun !== true && flags.yes !== true
  if (asks && !terminal.interactive) throw badUsage('nobody is here to ask: add --yes to discard, or --dry-run to count')
  const api = await openApi(flags, deps)
  if (asks) await confirm(api, order, deps)
  const answer = await api.post<Discarded>('/deliveries/discard', flags.dryRun === true ? { ...order, dryRun: true } : order)
  if (flags.json === true) terminal.json(answer)
  else terminal.out(flags.dryRun === true ? `${counted(answer.matched, 'delivery', 'deliveries')} would be discarded.` : `${counted(answer.discarded, 'delivery', 'deliveries')} discarded.`)
}

async function confirm (api: AdminApi, order: object, { terminal }: ProgramDeps): Promise<void> {
  const { matched } = await api.post<Discarded>('/deliveries/discard', { ...order, dryRun: true })
  const answer = await terminal.ask(`Give up ${counted(matched, 'delivery', 'deliveries')}? [y/N] `)
  if (!/^y(es)?$/i.test(answer)) throw new CommandFailure('nothing was discarded')
}
