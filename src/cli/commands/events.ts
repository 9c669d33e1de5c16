/**
 * `fotor-relay events`: lists events, newest first, with their deliveries.
 */
import type { Command } from 'commander'
import type { EventAnswer, Page } from '../../admin/answers.js'
import { addApiOptions, addExamples, addJsonOption, openApi } from '../api-command.js'
import type { ApiFlags } from '../command-line.js'
import type { ProgramDeps } from '../deps.js'
import { writeEvents } from '../event-table.js'
import { addFilters, filtersOf, wholeNumber, type FilterFlags } from '../filters.js'

interface EventsFlags extends FilterFlags, ApiFlags { limit?: number, cursor?: string, json?: true }

/** Adds the command. */
export function addEvents (program: Command, deps: ProgramDeps): void {
  const command = program.command('events')
    .description('List events, newest first, with the state of their deliveries.')
    .option('--limit <count>', 'maximum number of events, 1 to 500 (default: 50)', wholeNumber(1, 500))
    .option('--cursor <cursor>', 'continue a previous list; its last line shows how')
    .action(async (flags: EventsFlags) => { await listEvents(flags, deps) })
  addJsonOption(command)
  addFilters(command)
  addExamples(addApiOptions(command), [
    ['events --state failed --since 1d', 'failed deliveries since yesterday'],
    ['events --subscriber billing --state held,retrying', 'events that billing has not received yet'],
    ['events --type "image*" --status 2 --json | jq -r ".items[].taskId"', 'the tasks of failed images, for a script']
  ])
}

async function listEvents (flags: EventsFlags, deps: ProgramDeps): Promise<void> {
  const { terminal } = deps
  const query = { ...filtersOf(flags), limit: flags.limit?.toString(), cursor: flags.cursor }
  const api = await openApi(flags, deps)
  const page = await api.get<Page<EventAnswer>>('/events', query)
  if (flags.json === true) return terminal.json(page)
  writeEvents(page.items, terminal, Date.now())
  if (page.nextCursor !== null) terminal.error(`There are more events: add --cursor ${page.nextCursor}`)
  else if (page.items.length === 0) terminal.error('No event matches.')
}
