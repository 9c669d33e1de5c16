/**
 * `fotor-relay show`: shows one event, without its body; or the first page of
 * the events of a task that has several.
 */
import type { Command } from 'commander'
import type { AdminApi } from '../admin-api.js'
import type { EventDetailAnswer, EventsAnswer } from '../../admin/answers.js'
import { addApiOptions, addExamples, addJsonOption, openApi } from '../api-command.js'
import { counted } from '../counted.js'
import { paintState, stateText } from '../delivery-words.js'
import { quoted, type ApiFlags } from '../command-line.js'
import type { ProgramDeps } from '../deps.js'
import { writeEvents } from '../event-table.js'
import { CommandFailure } from '../failure.js'
import { oneValue } from '../filters.js'
import { plainText } from '../plain-text.js'
import type { Terminal } from '../terminal.js'
import { ago, exactTime } from '../times.js'

interface ShowFlags extends ApiFlags { json?: true }

/** Adds the command. */
export function addShow (program: Command, deps: ProgramDeps): void {
  const command = program.command('show')
    .description('Show one event with its deliveries and all their attempts.')
    .argument('<id>', 'id of an event (evt_…) or of a Fotor task; a task with several events lists the newest 50 and says how to list the others')
    .action(async (id: string, flags: ShowFlags) => { await show(id, flags, deps) })
  addJsonOption(command)
  addExamples(addApiOptions(command), [
    ['show evt_01JQ4Z8XK3V7M2N9P5R6S8T0WA', 'an event, by its webhook-id'],
    ['show 39371b3800cc4a7e9e24867b0dfdf25b', 'a task, by its taskId'],
    ['events --task-id 39371b3800cc4a7e9e24867b0dfdf25b --limit 500', 'a longer list of its events']
  ])
}

async function show (id: string, { json, ...place }: ShowFlags, deps: ProgramDeps): Promise<void> {
  const { terminal } = deps
  const api = await openApi(place, deps)
  const found = id.startsWith('evt_') ? await api.get<EventDetailAnswer>(`/events/${encodeURIComponent(id)}`) : await ofTask(api, id)
  if (json === true) return terminal.json(found)
  if (!('items' in found)) return writeEvent(found, terminal)
  const { items, nextCursor, total = items.length } = found
  terminal.out(`${counted(total, 'event')} of this task; show one with: ${api.command('show ID')}`)
  writeEvents(items, terminal, Date.now())
  if (nextCursor === null) return
  const older = total > items.length ? `${total - items.length} more are older` : 'There are older ones'
  terminal.error(`${older}; list them with: ${api.command(`events --task-id ${quoted(oneValue(id))} --cursor ${nextCursor}`)}`)
}

/** The event of a task, or a list if it has several. */
async function ofTask (api: AdminApi, taskId: string): Promise<EventDetailAnswer | EventsAnswer> {
  const page = await api.get<EventsAnswer>('/events', { taskId: oneValue(taskId) })
  const [first] = page.items
  if (page.nextCursor !== null || page.items.length > 1) return page
  if (first === undefined) throw new CommandFailure(`there is no event of task ${taskId}`, { nextSteps: [`list all events with: ${api.command('events')}`] })
  return await api.get<EventDetailAnswer>(`/events/${first.id}`)
}

function writeEvent (event: EventDetailAnswer, terminal: Terminal): void {
  const { out, paint } = terminal
  const facts: Array<[string, string]> = [
    ['task', event.taskId],
    ['type', event.type],
    ['status', String(event.status)],
    ['business', event.businessId ?? ''],
    ['received', `${event.receivedAt} (${ago(event.receivedAt, Date.now())})`],
    ['revision', event.revision === 1 ? '' : String(event.revision)],
    ['flags', event.flags.join(', ')],
    ['duplicates', event.duplicates === 0 ? '' : String(event.duplicates)],
    ['size', counted(event.size, 'byte')],
    ['corrupt', event.corrupt === true ? 'something of it cannot be read in Redis; an export has what is left' : '']
  ]
  out(paint.bold(plainText(event.id)))
  for (const [name, value] of facts) if (value !== '') out(`  ${name.padEnd(10)}  ${plainText(value)}`)
  out('')
  writeDeliveries(event, terminal)
  writeAttempts(event, terminal)
}

function writeDeliveries ({ deliveries }: EventDetailAnswer, terminal: Terminal): void {
  if (deliveries.length === 0) return terminal.out('No deliveries: no subscriber matched, or the event was recorded only.')
  terminal.table(deliveries, [
    { title: 'subscriber', text: ({ subscriber }) => subscriber, least: 10 },
    { title: 'state', text: stateText, paint: (cell, { state }) => paintState(state, terminal.paint, cell) },
    { title: 'attempts', text: ({ attempts }) => String(attempts), align: 'right' },
    { title: 'delivered', text: ({ deliveredAt }) => exactTime(deliveredAt) },
    { title: 'next attempt', text: ({ nextAttemptAt }) => ago(nextAttemptAt, Date.now()) },
    { title: 'answer', text: ({ lastStatusCode }) => lastStatusCode === null ? '' : String(lastStatusCode) },
    { title: 'error', text: ({ lastError }) => lastError ?? '', least: 12 }
  ])
}

function writeAttempts ({ attempts }: EventDetailAnswer, terminal: Terminal): void {
  if (attempts.length === 0) return
  terminal.out('')
  terminal.table(attempts, [
    { title: 'attempt', text: ({ number }) => String(number), align: 'right' },
    { title: 'subscriber', text: ({ subscriber }) => subscriber, least: 10 },
    { title: 'at', text: ({ at }) => exactTime(at) },
    { title: 'answer', text: ({ statusCode }) => statusCode === null ? '' : String(statusCode) },
    { title: 'took', text: ({ latencyMs }) => `${Math.round(latencyMs)} ms`, align: 'right' },
    { title: 'error', text: ({ error }) => error ?? '', least: 12 },
    { title: 'said', text: ({ responseExcerpt }) => responseExcerpt ?? '', least: 8, paint: terminal.paint.dim },
    { title: 'replay', text: ({ replayId }) => replayId ?? '', least: 8 }
  ])
}
