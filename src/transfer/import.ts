/**
 * Writes the lines of an export into a record, which may be in use meanwhile.
 *
 * Every line may come again: what is there already stays as it is. So an
 * import that was interrupted is simply run again. Jobs are not written: the
 * reconciler of the gateway makes them from the record.
 */
import { isFinal } from '../model/event.js'
import { RelayError } from '../model/errors.js'
import { linesOfAttempts, plainFieldsOf, storedFormOf } from '../record/fields.js'
import { collectClaimsAnew } from '../record/claims.js'
import { setHold } from '../record/holds.js'
import type { RecordStore } from '../record/store.js'
import { loadScript, runPackedScript, runScript } from '../redis/script.js'
import { readLine, type ClaimsLine, type EventLine, type Header, type Line, type SubscriberLine, type TaskLine } from './format.js'
import { readLines } from './lines.js'

const IMPORT = loadScript(new URL('./import.lua', import.meta.url))
const IMPORT_CLAIMS = loadScript(new URL('./import-claims.lua', import.meta.url))

/** Events and tasks of one script: a few milliseconds of Redis's time. */
const MOST_LINES = 100
/** The same of their bodies, in base64, unless one alone is larger. */
const MOST_TEXT = 2 * 1024 * 1024

export interface ImportOptions {
  store: RecordStore
  input: AsyncIterable<Buffer | string>
  /** Into a record that has events of its own. */
  merge: boolean
  /** @param bytes  of the input that are written */
  progress: (bytes: number, imported: Readonly<ImportResult>) => void
  signal: AbortSignal
}

export interface ImportResult {
  subscribers: number
  tasks: number
  /** Events that are in the record now and were not before. */
  events: number
  /** Events that were in it before. */
  there: number
  /** Events whose callback was accepted here as well: the one that is here stays. */
  duplicates: number
  /** Events that could not be read when they were exported: they are passed over. */
  corrupt: number
}

/**
 * Imports.
 *
 * @throws RelayError CONFLICT when the record has other events and `merge` is not set; INVALID_REQUEST naming the line that is wrong, or an end
 *         that is missing: what came before is imported; the signal's reason; what ioredis throws
 */
export async function importRecord ({ store, input, merge, progress, signal }: ImportOptions): Promise<ImportResult> {
  const imported: ImportResult = { subscribers: 0, tasks: 0, events: 0, there: 0, duplicates: 0, corrupt: 0 }
  let batch: Line[] = []
  let batchText = 0
  let bytesRead = 0
  const writeBatch = async (): Promise<void> => {
    signal.throwIfAborted()
    await write(store, batch, imported)
    batch = []
    batchText = 0
    progress(bytesRead, imported)
  }

  for await (const line of linesOf(input, bytes => { bytesRead = bytes })) {
    if (line.kind === 'header') {
      await begin(store, line, merge)
    } else if (line.kind === 'end') {
      await writeBatch()
      await collectClaimsAnew(store)
      await store.redis.del(store.keys.importing)
      return imported
    } else {
      if (line.kind === 'event' && batchText + line.body.length > MOST_TEXT && batch.length > 0) await writeBatch()
      batch.push(line)
      batchText += line.kind === 'event' ? line.body.length : 0
      if (batch.length >= MOST_LINES) await writeBatch()
    }
  }
  await writeBatch()
  throw wrong('it ends before its end: the export was cut short. What it holds is imported; finish the export with --resume, then import it again')
}

/** Reads lines until the end line; the header comes first, and once. */
async function * linesOf (input: AsyncIterable<Buffer | string>, onBytes: (bytes: number) => void): AsyncGenerator<Line> {
  let number = 0
  let bytes = 0
  for await (const found of readLines(input)) {
    number++
    bytes += found.bytes
    onBytes(bytes)
    if (!found.isWhole) return
    const read = readLine(found.text)
    if ('fault' in read) throw wrong(`line ${number} ${read.fault}. What came before it is imported; correct it, then import it again`)
    if ((number === 1) !== (read.line.kind === 'header')) throw wrong(`line ${number} ${number === 1 ? 'is no header: this is no export' : 'is a second header: import one export at a time'}`)
    yield read.line
    if (read.line.kind === 'end') return
  }
  if (number === 0) throw wrong('it is empty')
}

function wrong (what: string): RelayError {
  return new RelayError('INVALID_REQUEST', what)
}

/** Twice the same import is fine until it is complete; after that its events may have been delivered and deleted here. */
async function begin ({ redis, keys }: RecordStore, { id }: Header, merge: boolean): Promise<void> {
  const [begun, events] = await Promise.all([redis.get(keys.importing), redis.zcard(keys.events)])
  if (begun !== id && events > 0 && !merge) {
    throw new RelayError('CONFLICT',
      `the record has ${events} events already: import into an empty one (another redis.prefix is enough), or add --merge to import beside them`)
  }
  await redis.set(keys.importing, id)
}

async function write (store: RecordStore, batch: Line[], imported: ImportResult): Promise<void> {
  const { redis, keys } = store
  for (const { name, holds } of batch.filter((line): line is SubscriberLine => line.kind === 'subscriber')) {
    for (const hold of holds) await setHold(store, name, hold as 'pause' | 'gone')
    imported.subscribers++
  }
  for (const line of batch.filter((line): line is ClaimsLine => line.kind === 'claims')) await writeClaims(store, line)
  imported.corrupt += batch.filter(({ kind }) => kind === 'corrupt').length
  const tasks = batch.filter((line): line is TaskLine => line.kind === 'task')
  const events = batch.filter((line): line is EventLine => line.kind === 'event')
  if (tasks.length + events.length === 0) return
  const { output } = await runPackedScript(redis, IMPORT, {
    key: keys.events,
    input: {
      prefix: `{${keys.prefix}}:`,
      tasks: tasks.map(line => taskInput(store, line)),
      events: events.map(line => eventInput(store, line))
    },
    blobs: events.map(({ body }) => Buffer.from(body, 'base64'))
  })
  const outcomes = output as Array<'imported' | 'there' | 'duplicate'>
  const count = (outcome: typeof outcomes[number]): number => outcomes.filter(found => found === outcome).length
  imported.tasks += tasks.length
  imported.events += count('imported')
  imported.there += count('there')
  imported.duplicates += count('duplicate')
}

async function writeClaims ({ redis, keys }: RecordStore, { from, till, last, entries }: ClaimsLine): Promise<void> {
  await runScript(redis, IMPORT_CLAIMS, {
    keys: [keys.claims],
    args: [`{${keys.prefix}}:`, from, till, last, ...entries.flat().map(text => Buffer.from(text, 'base64'))]
  })
}

function taskInput ({ keys }: RecordStore, { taskId, test, claims, revisions, finals, finalAt, formerEvents, expiresAt }: TaskLine): object {
  return {
    key: test ? keys.testTask(taskId) : keys.task(taskId),
    claims: Object.fromEntries(claims.map(({ status, digest, eventId, at }) => [`c:${status}:${digest}`, `${eventId} ${at}`])),
    revisions: Object.fromEntries(Object.entries(revisions).map(([status, last]) => [`r:${status}`, String(last)])),
    finals: finals.map(String),
    final_at: finalAt === undefined ? '' : String(finalAt),
    former: formerEvents,
    expires: expiresAt === null ? '' : String(expiresAt)
  }
}

function eventInput ({ keys }: RecordStore, event: EventLine): object {
  const { id, taskId, status, digest, sequence } = event
  return {
    id,
    task: event.flags.includes('test') ? keys.testTask(taskId) : keys.task(taskId),
    claim: `c:${status}:${digest}`,
    status: String(status),
    isFinal: isFinal(status),
    sequence: String(sequence),
    endedAt: String(event.endedAt ?? event.receivedAt),
    fields: {
      ...Object.fromEntries(Object.entries(plainFieldsOf(event)).map(([name, value]) => [name, String(value)])),
      status: String(status),
      digest,
      rev: String(event.revision),
      flags: event.flags.join(','),
      dup: String(event.duplicates)
    },
    deliveries: event.deliveries.map(({ subscriber, ageMs, history, ...delivery }) =>
      [subscriber, storedFormOf(delivery as Parameters<typeof storedFormOf>[0]), ageMs, linesOfAttempts(history)])
  }
}
