/**
 * Events as a table, newest first, as the API gives them.
 */
import type { EventAnswer } from '../admin/answers.js'
import { mostUrgent, paintState, summarize } from './delivery-words.js'
import type { Terminal } from './terminal.js'
import { ago, exactTime } from './times.js'

/** From here on there is room for exact times. */
const ROOMY_COLUMNS = 120

/** Writes one row for each event; nothing when there are none. */
export function writeEvents (events: readonly EventAnswer[], terminal: Terminal, nowMs: number): void {
  const { paint, columns } = terminal
  const when = (iso: string): string => columns >= ROOMY_COLUMNS ? exactTime(iso) : ago(iso, nowMs)
  terminal.table(events, [
    { title: 'received', text: ({ receivedAt }) => when(receivedAt) },
    { title: 'id', text: ({ id }) => id, paint: paint.cyan },
    { title: 'task', text: ({ taskId }) => taskId, least: 6 },
    { title: 'type', text: ({ type }) => type, least: 5 },
    { title: 'status', text: ({ status }) => String(status), align: 'right' },
    { title: 'flags', text: ({ flags, corrupt }) => [...flags, ...corrupt === true ? ['corrupt'] : []].join(' '), least: 5, paint: paint.yellow },
    {
      title: 'deliveries',
      text: ({ deliveries }) => summarize(deliveries),
      least: 9,
      paint: (cell, { deliveries }) => {
        const state = mostUrgent(deliveries)
        return state === undefined ? paint.dim(cell) : paintState(state, paint, cell)
      }
    }
  ])
}
