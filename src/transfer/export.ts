/**
 * Writes the record as the lines of an export, so that another Redis can take
 * it over, or the same one on a worse day.
 *
 * Holds no more in memory than a few megabytes, however large the record is.
 */
import { sortableId } from '../model/sortable-id.js'
import type { RecordStore } from '../record/store.js'
import { FORMAT, writeLine, type End } from './format.js'
import { readClaimsLines, readEvents, readHeldSubscribers, readTasks } from './read-record.js'

/** How far an export has come. */
export interface ExportResult {
  /** `corrupt`, when there are any: events of which too much could not be read to be one again. */
  counts: Omit<End, 'kind'>
  /** Sequence of the last event that is written; 0 before the first. */
  after: number
}

export interface ExportOptions {
  store: RecordStore
  /** Of the program. */
  version: string
  /** Resolves when there is room for more. */
  write: (text: string) => Promise<void>
  /** Where an earlier one was cut short: it goes on behind that. */
  from: ExportResult | null
  /** @param total  events in the record when the export began */
  progress: (done: number, total: number) => void
  signal: AbortSignal
}

/**
 * Exports.
 *
 * @returns what the whole export holds, with what an earlier run had written
 * @throws  the signal's reason; what `write` and ioredis throw
 */
export async function exportRecord (options: ExportOptions): Promise<ExportResult['counts']> {
  const { store, version, write, from, progress, signal } = options
  const total = await store.redis.zcard(store.keys.events)
  const counts: ExportResult['counts'] = from?.counts ?? { subscribers: 0, tasks: 0, events: 0 }
  if (from === null) {
    await write(writeLine({ kind: 'header', format: FORMAT, id: 'exp_' + sortableId(Date.now()), exportedAt: new Date().toISOString(), version }))
    const held = await readHeldSubscribers(store)
    await write(held.map(writeLine).join(''))
    counts.subscribers = held.length
    for await (const claims of readClaimsLines(store)) {
      signal.throwIfAborted()
      await write(claims.map(writeLine).join(''))
    }
    for await (const tasks of readTasks(store)) {
      signal.throwIfAborted()
      await write(tasks.map(writeLine).join(''))
      counts.tasks += tasks.length
    }
  }
  for await (const events of readEvents(store, from?.after ?? 0)) {
    signal.throwIfAborted()
    await write(events.map(writeLine).join(''))
    const corrupt = events.filter(({ kind }) => kind === 'corrupt').length
    counts.events += events.length - corrupt
    if (corrupt > 0) counts.corrupt = (counts.corrupt ?? 0) + corrupt
    progress(counts.events, Math.max(total, counts.events))
  }
  await write(writeLine({ kind: 'end', ...counts }))
  return counts
}
