/**
 * `fotor-relay replay`: orders deliveries to be made again, and follows them on
 * request.
 */
import type { Command } from 'commander'
import { addApiOptions, addExamples, openApi } from '../api-command.js'
import { commandLine } from '../command-line.js'
import { counted } from '../counted.js'
import type { ProgramDeps } from '../deps.js'
import { badUsage } from '../failure.js'
import { addFilters, collect, filtersOf, wholeNumber, type FilterFlags } from '../filters.js'
import { addOrderOptions, giveOrder, handlePlaced, type OrderFlags, type OrderWords } from '../order-flags.js'

interface ReplayFlags extends FilterFlags, OrderFlags {
  eventId?: string[]
  all?: true
  newId?: true
  rate?: number
}

const MAX_RATE = 100_000

const WORDS: OrderWords = {
  command: 'replay',
  path: '/replays',
  done: 'replayed',
  end: ({ id, delivered, failed, queued }) => `${id}: ${delivered} delivered, ${failed} failed, of ${counted(queued, 'delivery', 'deliveries')}.`
}

/** Adds the command. */
export function addReplay (program: Command, deps: ProgramDeps): void {
  const command = program.command('replay')
    .description('Deliver again: failed deliveries, or those that match the filters. A replay gets a new budget of attempts and ignores deduplication.')
    .option('--new-id', 'give each delivery a new webhook-id, so that subscribers treat it as a new event')
    .option('--rate <number>', `deliveries queued per second, 1 to ${MAX_RATE} (default: no limit)`, wholeNumber(1, MAX_RATE))
    .option('--all', 'all failed deliveries of every subscriber; required without a filter')
    .action(async (flags: ReplayFlags) => { await replay(flags, deps) })
  addOrderOptions(command, 'everything is delivered or failed (exit code 1 when something failed)')
  addFilters(command, 'failed (the default, unless tasks or events are named), delivered, discarded, retrying, held, any, or missing: events that a subscriber never had')
  command.option('--event-id <ids>', 'ids of events; can be given several times', collect)
  addExamples(addApiOptions(command), [
    ['replay --subscriber billing --since 6h --dry-run', 'how many deliveries to billing failed in the last six hours'],
    ['replay --subscriber billing --since 6h --rate 20 --wait', 'delivers them again, at most 20 a second, and waits for the end'],
    ['replay --subscriber reports --state missing --since 7d', 'gives a new subscriber the events that arrived before it was added'],
    ['replay --event-id evt_01JQ4Z8XK3V7M2N9P5R6S8T0WA --new-id', 'one event, whatever its state']
  ])
}

async function replay (flags: ReplayFlags, deps: ProgramDeps): Promise<void> {
  const context = { flags, terminal: deps.terminal, words: WORDS }
  if (await handlePlaced(async () => await openApi(flags, deps), context)) return
  const order = orderOf(flags)
  await giveOrder(await openApi(flags, deps), order, context)
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
    ...(flags.rate === undefined ? {} : { ratePerSecond: flags.rate })
  }
}
