/**
 * `fotor-relay purge`: orders events to be deleted for good, after it has said
 * how many they are.
 */
import type { Command } from 'commander'
import type { AdminApi } from '../admin-api.js'
import { addApiOptions, addExamples, openApi } from '../api-command.js'
import { commandLine } from '../command-line.js'
import { counted } from '../counted.js'
import type { ProgramDeps } from '../deps.js'
import { badUsage, CommandFailure } from '../failure.js'
import { filtersOf, type FilterFlags } from '../filters.js'
import { addOrderOptions, countedSoFar, countFirst, giveOrder, handlePlaced, type OrderFlags, type OrderWords } from '../order-flags.js'

interface PurgeFlags extends Pick<FilterFlags, 'taskId' | 'businessId' | 'until'>, OrderFlags { yes?: true }

const WORDS: OrderWords = {
  command: 'purge',
  path: '/purge',
  done: 'deleted',
  to: 'events',
  end: ({ purged }) => `${counted(purged, 'event')} deleted.`
}

/** Adds the command. */
export function addPurge (program: Command, deps: ProgramDeps): void {
  const command = program.command('purge')
    .description('Delete events for good: bodies, attempts, and what is still owed of them. Asks for confirmation. Repeats of what is deleted are still recognised.')
    .option('--task-id <ids>', 'events of these tasks; separate several with commas')
    .option('--business-id <ids>', 'events of these tenants; separate several with commas')
    .option('--until <time>', 'events received before this time: an age (30d) or a time (2026-03-01T12:00:00Z)')
    .option('--yes', 'do not ask for confirmation (required without a terminal)')
    .action(async (flags: PurgeFlags) => { await purge(flags, deps) })
  addOrderOptions(command, 'everything is deleted')
  addExamples(addApiOptions(command), [
    ['purge --business-id 1234 --dry-run', 'how many events there are of a tenant'],
    ['purge --task-id 39371b3800cc4a7e9e24867b0dfdf25b --yes --wait', 'deletes what there is of a task, and waits for the end']
  ])
}

async function purge (flags: PurgeFlags, deps: ProgramDeps): Promise<void> {
  const { terminal } = deps
  const context = { flags, terminal, words: WORDS }
  if (await handlePlaced(async () => await openApi(flags, deps), context)) return
  const order = filtersOf(flags)
  if (Object.keys(order).length === 0) {
    throw badUsage('say which events: give --task-id, --business-id or --until', `see them first with: ${commandLine('events', flags)}`)
  }
  const asks = flags.dryRun !== true && flags.yes !== true
  if (asks && !terminal.interactive) throw badUsage('nobody is here to ask: add --yes to delete, or --dry-run to count')
  const api = await openApi(flags, deps)
  if (asks) await confirm(api, order, deps)
  await giveOrder(api, order, context)
}

async function confirm (api: AdminApi, order: object, { terminal }: ProgramDeps): Promise<void> {
  const many = countedSoFar(await countFirst(api, WORDS.path, order), WORDS)
  const answer = await terminal.ask(`Delete ${many} for good, with what is still owed of them? [y/N] `)
  if (!/^y(es)?$/i.test(answer)) throw new CommandFailure('nothing was deleted')
}
