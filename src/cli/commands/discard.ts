/**
 * `fotor-relay discard`: orders deliveries to be discarded, after it has shown
 * how many there are.
 */
import type { Command } from 'commander'
import type { AdminApi } from '../admin-api.js'
import type { OrderAnswer } from '../../admin/answers.js'
import { addApiOptions, addExamples, openApi } from '../api-command.js'
import { commandLine } from '../command-line.js'
import { counted } from '../counted.js'
import type { ProgramDeps } from '../deps.js'
import { badUsage, CommandFailure } from '../failure.js'
import { addFilters, filtersOf, type FilterFlags } from '../filters.js'
import { addOrderOptions, countedSoFar, countFirst, giveOrder, handlePlaced, type OrderFlags, type OrderWords } from '../order-flags.js'

interface DiscardFlags extends FilterFlags, OrderFlags { all?: true, yes?: true }

const WORDS: OrderWords = { command: 'discard', path: '/deliveries/discard', done: 'discarded', end: endOf }

/** Adds the command. */
export function addDiscard (program: Command, deps: ProgramDeps): void {
  const command = program.command('discard')
    .description('Discard deliveries: they are not sent unless they are replayed. Asks for confirmation.')
    .option('--all', 'every delivery that can be discarded; required without a filter')
    .option('--yes', 'do not ask for confirmation (required without a terminal)')
    .action(async (flags: DiscardFlags) => { await discard(flags, deps) })
  addOrderOptions(command, 'everything is discarded')
  addFilters(command, 'queued, retrying, held, failed')
  addExamples(addApiOptions(command), [
    ['discard --subscriber retired --dry-run', 'counts the deliveries that wait for a retired subscriber'],
    ['discard --subscriber retired --state failed --until 30d --yes --wait', 'discards deliveries that failed more than 30 days ago, and waits for the end']
  ])
}

async function discard (flags: DiscardFlags, deps: ProgramDeps): Promise<void> {
  const { terminal } = deps
  const context = { flags, terminal, words: WORDS }
  if (await handlePlaced(async () => await openApi(flags, deps), context)) return
  const filters = filtersOf(flags)
  if (Object.keys(filters).length === 0 && flags.all !== true) {
    throw badUsage('say which deliveries: at least one filter, or --all', `see them first with: ${commandLine('events --state failed,held', flags)}`)
  }
  const order = { ...filters, ...(flags.all === true ? { all: true } : {}) }
  const asks = flags.dryRun !== true && flags.yes !== true
  if (asks && !terminal.interactive) throw badUsage('cannot ask for confirmation without a terminal: add --yes to discard, or --dry-run to count')
  const api = await openApi(flags, deps)
  if (asks) await confirm(api, order, deps)
  await giveOrder(api, order, context)
}

async function confirm (api: AdminApi, order: object, { terminal }: ProgramDeps): Promise<void> {
  const answer = await terminal.ask(`Discard ${countedSoFar(await countFirst(api, WORDS.path, order), WORDS)}? [y/N] `)
  if (!/^y(es)?$/i.test(answer)) throw new CommandFailure('nothing was discarded')
}

function endOf ({ state, matched, discarded = 0 }: OrderAnswer): string {
  const left = state === 'done' && matched !== null ? matched - discarded : 0
  return `${counted(discarded, 'delivery', 'deliveries')} discarded${left > 0 ? `; ${left} changed meanwhile and ${left === 1 ? 'was' : 'were'} left alone` : ''}.`
}
