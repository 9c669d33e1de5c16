/**
 * Reads the whole record, a page at a time, as the lines of an export. Never
 * writes; what changes meanwhile is read as it is when its page comes.
 */
import type { DeliveryState, Delivery } from '../model/delivery.js'
import { parseAttempts, parseDelivery, parseWholeEvent } from '../record/fields.js'
import { readBodies } from '../record/read-event.js'
import { readSubscribers } from '../record/read-subscribers.js'
import type { RecordStore } from '../record/store.js'
import { scanKeys } from '../redis/scan.js'
import { isEventLine, type ClaimsLine, type CorruptLine, type DeliveryLine, type EventLine, type SubscriberLine, type TaskLine } from './format.js'

/** Events of one page. */
const PAGE = 200
/** Keys that one step of the walk looks at for tasks. */
const SCANNED = 1_000
/** Shards of claims read in one round trip. */
const SHARDS = 100

const OPEN = new Set<DeliveryState>(['queued', 'retrying', 'held'])

/** Subscribers with a hold that nobody could know from the configuration. */
export async function readHeldSubscribers (store: RecordStore): Promise<SubscriberLine[]> {
  return (await readSubscribers(store)).flatMap(({ name, holds }) => {
    const kept = holds.filter(hold => hold === 'pause' || hold === 'gone')
    return kept.length === 0 ? [] : [{ kind: 'subscriber' as const, name, holds: kept }]
  })
}

/** What is remembered of deleted events, a shard a line; a bucket that goes meanwhile is left out. */
export async function * readClaimsLines ({ redis, keys }: RecordStore): AsyncGenerator<ClaimsLine[]> {
  for (const name of Object.keys(await redis.hgetall(keys.claims)).filter(name => name.startsWith('b:'))) {
    // Shards are added while they are read: of those that are divided, the new ones come last.
    for (let shard = 0; ; shard += SHARDS) {
      const [from, till, last, shards] = (await redis.hget(keys.claims, name))?.split(' ').map(Number) ?? []
      if (from === undefined || shard >= shards!) break
      const pipeline = redis.pipeline()
      for (let at = shard; at < Math.min(shard + SHARDS, shards!); at++) pipeline.callBuffer('HGETALL', keys.claimsShard(name.slice(2), at))
      const replies = await answersOf(pipeline.exec()) as Buffer[][]
      yield replies.map(entries => ({ kind: 'claims', from, till: till!, last: last!, entries: inPairs(entries) }))
    }
  }
}

function inPairs (entries: readonly Buffer[]): ClaimsLine['entries'] {
  const text = entries.map(entry => entry.toString('base64'))
  return text.flatMap((name, at) => at % 2 === 0 ? [[name, text[at + 1]!]] : [])
}

/** Every task, in no order; one that is moved in Redis meanwhile may come twice. */
export async function * readTasks (store: RecordStore): AsyncGenerator<TaskLine[]> {
  const { keys } = store
  for (const test of [false, true]) {
    const start = test ? keys.testTask('') : keys.task('')
    for await (const found of scanKeys(store.redis, start, SCANNED)) {
      yield await tasksAt(store, { found, start, test })
    }
  }
}

async function tasksAt ({ redis }: RecordStore, { found, start, test }: { found: string[], start: string, test: boolean }): Promise<TaskLine[]> {
  const pipeline = redis.pipeline()
  for (const key of found) pipeline.hgetall(key).pttl(key)
  const replies = await answersOf(pipeline.exec())
  return found.flatMap((key, at) => {
    const fields = Object.entries(replies[2 * at] as Record<string, string>)
    const leftMs = replies[2 * at + 1] as number
    return fields.length === 0 ? [] : [taskOf(key.slice(start.length), { fields, test, expiresAt: leftMs > 0 ? Date.now() + leftMs : null })]
  })
}

/** What of it cannot be read is left out: it is not worth an import that ends there. */
function taskOf (taskId: string, { fields, test, expiresAt }: { fields: Array<[string, string]>, test: boolean, expiresAt: number | null }): TaskLine {
  const line: TaskLine = { kind: 'task', taskId, test, claims: [], revisions: {}, finals: [], formerEvents: [], expiresAt }
  for (const [name, value] of fields) {
    const claim = /^c:(-?\d+):([0-9A-Za-z_-]{1,128})$/.exec(name)
    const made = /^(evt_[0-9A-Z]{26}) (\d{1,16})$/.exec(value)
    if (claim !== null && made !== null) {
      line.claims.push({ status: Number(claim[1]), digest: claim[2]!, eventId: made[1]!, at: Number(made[2]) })
    } else if (/^r:-?\d{1,16}$/.test(name) && /^\d{1,15}$/.test(value)) {
      line.revisions[name.slice(2)] = Number(value)
    } else if (/^e:evt_[0-9A-Z]{26}$/.test(name)) {
      line.formerEvents.push(name.slice(2))
    } else if (name === 'finals') {
      line.finals.push(...value.split(',').filter(status => /^-?\d{1,16}$/.test(status)).map(Number))
    } else if (name === 'finalAt' && /^\d{1,16}$/.test(value)) {
      line.finalAt = Number(value)
    }
  }
  return line
}

/**
 * Every event that is there when this begins, oldest first.
 *
 * @param after  only those with a higher sequence
 */
export async function * readEvents (store: RecordStore, after: number): AsyncGenerator<Array<EventLine | CorruptLine>> {
  const { redis, keys } = store
  // Without an end one would run after whoever accepts.
  const [, newest = '0'] = await redis.zrange(keys.events, '-1', '-1', 'WITHSCORES')
  for (let last = after; ;) {
    const page = await redis.zrangebyscore(keys.events, `(${last}`, newest, 'WITHSCORES', 'LIMIT', 0, PAGE)
    if (page.length === 0) return
    last = Number(page.at(-1))
    yield * readPage(store, page.flatMap((id, at) => at % 2 === 0 ? [{ id, place: Number(page[at + 1]) }] : []))
  }
}

type Bodiless = Omit<EventLine, 'body'>

async function * readPage (store: RecordStore, page: ReadonlyArray<{ id: string, place: number }>): AsyncGenerator<Array<EventLine | CorruptLine>> {
  const { redis, keys } = store
  const clocks = await readClocks(store)
  const pipeline = redis.pipeline()
  for (const { id } of page) pipeline.hgetall(keys.event(id)).zscore(keys.ended, id).zscore(keys.endedFailed, id)
  const replies = await answersOf(pipeline.exec())
  const left = page.flatMap((one, at) => {
    const [fields, ended, endedFailed] = replies.slice(3 * at, 3 * at + 3) as [Record<string, string>, string | null, string | null]
    return eventOf({ ...one, fields, endedAt: ended ?? endedFailed }, clocks) ?? []
  })
  for await (const group of readBodies(store, left.filter(({ corrupt }) => !corrupt).map(({ event }) => event))) {
    const bodies = new Map(group.map(({ id, body }) => [id, body]))
    yield await linesOf(store, left.splice(0, left.findLastIndex(({ event }) => bodies.has(event.id)) + 1), bodies)
  }
  yield await linesOf(store, left, new Map())
}

/** The lines of these, in their order; those that are gone meanwhile are left out. */
async function linesOf (store: RecordStore, events: readonly Found[], bodies: ReadonlyMap<string, Buffer>): Promise<Array<EventLine | CorruptLine>> {
  const lines: Array<EventLine | CorruptLine> = []
  for (const found of events) {
    const body = bodies.get(found.event.id)
    const line = body === undefined ? await lineOfWhatIsLeft(store, found) : { ...found.event, body: body.toString('base64') }
    if (line !== null) lines.push(line)
  }
  return lines
}

/** One of which something cannot be read, or whose body is gone; as an event, when that is one that can be imported. */
async function lineOfWhatIsLeft ({ redis, keys }: RecordStore, { event, fields }: Found): Promise<EventLine | CorruptLine | null> {
  const { id, sequence } = event
  const [bytes, isThere] = await Promise.all([redis.getBuffer(keys.body(id)), redis.exists(keys.event(id))])
  if (isThere === 0) return null
  const body = bytes?.toString('base64') ?? null
  const line = { ...event, size: bytes?.length ?? 0, body: body ?? '' }
  return body !== null && isEventLine(line) ? line : { kind: 'corrupt', id, sequence, fields, body }
}

interface Row {
  id: string
  fields: Record<string, string>
  /** Its place by the index. */
  place: number
  endedAt: string | null
}

interface Found {
  event: Bodiless
  fields: Record<string, string>
  /** Something of it cannot be read. */
  corrupt: boolean
}

/** @returns `null` when it is gone */
function eventOf ({ id, fields, place, endedAt }: Row, clocks: Clocks): Found | null {
  const stored = parseWholeEvent(id, fields, place)
  if (stored === null) return null
  const deliveries = stored.subscribers.map(name => deliveryOf(parseDelivery(id, name, fields['d:' + name] ?? ''), fields['a:' + name] ?? '', clocks))
  const isOpen = deliveries.some(({ state }) => OPEN.has(state as DeliveryState))
  const digest = fields['digest'] ?? ''
  const event = {
    kind: 'event' as const,
    ...stored.event,
    digest,
    endedAt: isOpen ? null : Math.floor(Number(endedAt ?? stored.event.receivedAt)),
    deliveries
  }
  return { event, fields, corrupt: stored.corrupt || !/^\d+$/.test(fields['size'] ?? '') || digest === '' }
}

function deliveryOf ({ eventId: _, queuedAt, ...delivery }: Delivery, lines: string, clocks: Clocks): DeliveryLine {
  return {
    ...delivery,
    ageMs: Math.max(0, Math.round(clocks.of(delivery.subscriber) - queuedAt)),
    history: parseAttempts(lines).attempts
  }
}

interface Clocks { of: (subscriber: string) => number }

/** The subscribers' hold clocks (see record/holds): they stand still while one is on hold. */
async function readClocks ({ redis, keys }: RecordStore): Promise<Clocks> {
  const names = await redis.smembers(keys.subscribers)
  const pipeline = redis.pipeline().time()
  for (const name of names) pipeline.hmget(keys.subscriber(name), 'heldSince', 'heldTotal')
  const [[seconds, micros], ...held] = await answersOf(pipeline.exec()) as [[string, string], ...Array<[string | null, string | null]>]
  const now = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
  const clocks = new Map(names.map((name, at) => {
    const [since, total] = held[at]!
    return [name, (since === null ? now : Number(since)) - Number(total ?? 0)]
  }))
  return { of: name => clocks.get(name) ?? now }
}

async function answersOf (replies: Promise<Array<[Error | null, unknown]> | null>): Promise<unknown[]> {
  return (await replies)!.map(([error, value]) => {
    if (error !== null) throw error
    return value
  })
}
