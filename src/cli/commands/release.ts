/**
 * `fotor-relay release`: orders what is held for a reason of its event to be
 * delivered.
 */
import type { Command } from 'commander'
import { addApiOptions, addExamples, openApi } from '../api-command.js'
import { commandLine } from '../command-line.js'
import { counted } from '../counted.js'
import type { ProgramDeps } from '../deps.js'
import { badUsage } from '../failure.js'
import { addFilters, collect, filtersOf, type FilterFlags } from '../filters.js'
import { addOrderOptions, giveOrder, handlePlaced, type OrderFlags, type OrderWords } from '../order-flags.js'

interface ReleaseFlags extends Omit<FilterFlags, 'state'>, OrderFlags { eventId?: string[], all?: true }

const WORDS: OrderWords = {
  command: 'release',
  path: '/deliveries/release',
  done: 'released',
  end: ({ queued }) => `${counted(queued, 'delivery', 'deliveries')} released.`
}

/** Adds the command. */
export function addRelease (program: Command, deps: ProgramDeps): void {
  const command = program.command('release')
    .description('Deliver what is held for a reason of its event (conflict). What a pause or another hold of a subscriber keeps stays: see resume.')
    .option('--all', 'everything that is held in this way; required without a filter')
    .action(async (flags: ReleaseFlags) => { await release(flags, deps) })
  addOrderOptions(command, 'everything is in its queue')
  addFilters(command, null)
  command.option('--event-id <ids>', 'ids of events; may be repeated', collect)
  addExamples(addApiOptions(command), [
    ['release --all --dry-run', 'how many deliveries are held for a reason of their event'],
    ['release --task-id 39371b3800cc4a7e9e24867b0dfdf25b --wait', 'delivers what is held of one task']
  ])
}

async function release (flags: ReleaseFlags, deps: ProgramDeps): Promise<void> {
  const context = { flags, terminal: deps.terminal, words: WORDS }
  if (await handlePlaced(async () => await openApi(flags, deps), context)) return
  const filters = { ...filtersOf(flags), ...(flags.eventId === undefined ? {} : { eventIds: flags.eventId }) }
  if (Object.keys(filters).length === 0 && flags.all !== true) {
    throw badUsage('say what to release: at least one filter, or --all', `see it first with: ${commandLine('events --state held', flags)}`)
  }
  await giveOrder(await openApi(flags, deps), { ...filters, ...(flags.all === true ? { all: true } : {}) }, context)
}
