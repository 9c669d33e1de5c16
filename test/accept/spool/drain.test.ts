/**
 * What waits is accepted, all of it: nothing is forgotten before Redis has it,
 * and what Redis never takes neither blocks the rest nor is lost.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from '../../support/tap.js'
import type { Acceptance, Arrival } from '../../../src/accept/arrival.js'
import { DiskTrouble } from '../../../src/accept/spool/disk.js'
import { createDrain, type Drain } from '../../../src/accept/spool/drain.js'
import { RedisBreaker } from '../../../src/accept/spool/breaker.js'
import { createOwnership } from '../../../src/accept/spool/ownership.js'
import { createSetAside } from '../../../src/accept/spool/set-aside.js'
import { Stock } from '../../../src/accept/spool/stock.js'
import type { Fact } from '../../../src/model/fact.js'
import { arrivalNumber, folder, numberOf, watchDisk } from './folder.js'
import { until } from '../../support/until.js'

interface Scene {
  dir: string
  stock: Stock
  breaker: RedisBreaker
  drain: Drain
  facts: Fact[]
  /** What was accepted, in order. */
  accepted: Arrival[]
  /** How many are with `accept` at the moment, and at most. */
  busy: { now: number, most: number }
  /** Changed by the test: what becomes of a callback, and whether Redis takes writes. */
  redis: { isThere: boolean, decide: (arrival: Arrival) => Promise<Acceptance['kind']> }
  keep: (...numbers: number[]) => Promise<void>
}

function setScene (t: Test, { dir = folder(t), segmentBytes = 4 * 1024 * 1024, maxBytes = Infinity } = {}): Scene {
  const facts: Fact[] = []
  const report = (fact: Fact): void => { facts.push(fact) }
  const accepted: Arrival[] = []
  const busy = { now: 0, most: 0 }
  const redis: Scene['redis'] = { isThere: true, decide: async () => redis.isThere ? 'accepted' : 'unavailable' }
  const trouble = new DiskTrouble(report)
  const stock = new Stock({ ownership: createOwnership(dir), trouble, maxBytes, segmentBytes, report })
  const breaker = new RedisBreaker({
    async probe () { if (!redis.isThere) throw new Error('away') },
    hasWaiting: () => stock.hasAny(),
    onChange (state) { if (state !== 'open') drain.wake() }
  })
  async function accept (arrival: Arrival): Promise<Acceptance> {
    busy.most = Math.max(busy.most, ++busy.now)
    const kind = await redis.decide(arrival)
    busy.now--
    if (kind === 'accepted') accepted.push({ ...arrival, body: Buffer.from(arrival.body) })
    if (kind === 'unavailable') return { kind, reason: 'not now' }
    if (kind === 'unreadable') return { kind, field: 'taskId', problem: 'is missing' }
    return kind === 'spooled' ? { kind } : { kind, eventId: `evt_${numberOf(arrival)}` }
  }
  const drain = createDrain({ stock, setAside: createSetAside(dir), accept, breaker, trouble, report })
  t.teardown(async () => {
    breaker.stop()
    await drain.stop()
    await stock.close()
  })
  return {
    dir,
    stock,
    breaker,
    drain,
    facts,
    accepted,
    busy,
    redis,
    async keep (...numbers) {
      for (const n of numbers) if ((await stock.keep(arrivalNumber(n))).kind !== 'kept') throw new Error(`${n} was not kept`)
    }
  }
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n)
const named = (facts: Fact[], name: Fact['fact']): Fact[] => facts.filter(({ fact }) => fact === name)
const filesIn = (dir: string, end = '.spool'): string[] => readdirSync(dir, { recursive: true }).map(String).filter(name => name.endsWith(end))
const untilDrained = async ({ facts }: Scene): Promise<void> => { await until('it is drained', () => named(facts, 'spool.drained').length > 0) }

t.test('everything is accepted with its own bytes and time, flagged, a few at a time; then the files are gone', async t => {
  const scene = setScene(t, { segmentBytes: 2_000 })
  await scene.stock.keep(arrivalNumber(0, { flags: ['unlisted'], contentType: 'application/vnd.fotor+json; charset="utf-8"' }))
  await scene.keep(...range(1, 100))
  scene.drain.wake()
  await untilDrained(scene)
  t.strictSame(scene.accepted.map(numberOf).sort((a, b) => a - b), range(0, 100))
  const first = scene.accepted.find(one => numberOf(one) === 0)
  t.strictSame(first, { ...arrivalNumber(0), contentType: 'application/vnd.fotor+json; charset="utf-8"', flags: ['unlisted', 'spooled'] })
  t.ok(scene.accepted.every(one => one.receivedAt === arrivalNumber(numberOf(one)).receivedAt))
  t.ok(scene.busy.most > 1 && scene.busy.most <= 32, `${scene.busy.most} at a time`)
  t.strictSame(filesIn(scene.dir), [])
  t.match(scene.facts, [{ fact: 'spool.drained', callbacks: 100, setAside: 0 }])
  t.match(scene.stock.size(), { callbacks: 0, bytes: 0, oldestAt: null })
})

t.test('a callback is on the disk until Redis has it', async t => {
  const scene = setScene(t)
  let release = (): void => {}
  const held = new Promise<void>(resolve => { release = resolve })
  scene.redis.decide = async () => {
    await held
    return 'accepted'
  }
  await scene.keep(1)
  scene.drain.wake()
  await until('it is on its way', () => scene.busy.now === 1)
  t.equal(filesIn(scene.dir).length, 1)
  t.match(scene.stock.size(), { callbacks: 1 })
  release()
  await untilDrained(scene)
})

t.test('a duplicate is done with as well', async t => {
  const scene = setScene(t)
  scene.redis.decide = async () => 'duplicate'
  await scene.keep(1, 2)
  scene.drain.wake()
  await untilDrained(scene)
  t.match(scene.facts, [{ callbacks: 2 }])
})

t.test('while the breaker is open nothing is tried and the present file stays open; when it closes, all is drained', async t => {
  const scene = setScene(t)
  scene.redis.isThere = false
  scene.breaker.enter()!.failed('away')
  for (const n of range(0, 10)) {
    await scene.keep(n)
    scene.drain.wake()
  }
  t.equal(filesIn(scene.dir).length, 1)
  t.strictSame([scene.busy.most, scene.accepted], [0, []])
  scene.redis.isThere = true
  await untilDrained(scene)
  t.equal(scene.breaker.state(), 'closed', 'the first that was accepted closed it')
  t.equal(scene.accepted.length, 10)
})

t.test('half-open, one tries alone before the others follow', async t => {
  const scene = setScene(t)
  scene.redis.isThere = false
  scene.breaker.enter()!.failed('away')
  await scene.keep(...range(0, 10))
  const atOnce: number[] = []
  scene.redis.decide = async () => {
    atOnce.push(scene.busy.now)
    return 'accepted'
  }
  scene.redis.isThere = true
  await untilDrained(scene)
  t.strictSame(atOnce, [1, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

t.test('Redis going away in the middle costs nothing, and it goes on from there', async t => {
  const scene = setScene(t)
  await scene.keep(...range(0, 100))
  let decisions = 0
  scene.redis.decide = async () => {
    if (++decisions === 40) scene.redis.isThere = false
    return scene.redis.isThere ? 'accepted' : 'unavailable'
  }
  scene.drain.wake()
  await until('it is noticed', () => scene.breaker.state() === 'open')
  t.ok(scene.stock.size().callbacks >= 60)
  scene.redis.decide = async () => scene.redis.isThere ? 'accepted' : 'unavailable'
  scene.redis.isThere = true
  await untilDrained(scene)
  t.strictSame([...new Set(scene.accepted.map(numberOf))].sort((a, b) => a - b), range(0, 100))
})

t.test('what Redis never takes makes room for the others, is not lost, and is taken when it can be', async t => {
  const scene = setScene(t)
  const poison = new Set([0, 1, 50])
  let isPoison = true
  scene.redis.decide = async arrival => isPoison && poison.has(numberOf(arrival)) ? 'unavailable' : 'accepted'
  await scene.keep(...range(0, 100))
  scene.drain.wake()
  await until('all the others are accepted', () => scene.accepted.length === 97 && scene.stock.size().callbacks === 3)
  t.match(named(scene.facts, 'spool.postponed'), [{ reason: 'not now' }])
  t.equal(scene.breaker.state(), 'closed', 'nobody else has to wait for it')
  t.strictSame(named(scene.facts, 'spool.drained'), [])
  isPoison = false
  scene.drain.wake()
  await untilDrained(scene)
  t.strictSame(scene.accepted.map(numberOf).sort((a, b) => a - b), range(0, 100), 'each once')
})

t.test('a whole batch that Redis never takes makes room as well', async t => {
  const scene = setScene(t)
  scene.redis.decide = async arrival => numberOf(arrival) < 40 ? 'unavailable' : 'accepted'
  await scene.keep(...range(0, 60))
  scene.drain.wake()
  await until('all the others are accepted', () => scene.accepted.length === 20 && scene.stock.size().callbacks === 40)
  t.notOk(named(scene.facts, 'spool.drained').length)
})

t.test('one that Redis never takes, alone, is not tried without a pause', async t => {
  const scene = setScene(t)
  let tries = 0
  scene.redis.decide = async () => {
    tries++
    return 'unavailable'
  }
  await scene.keep(0)
  scene.drain.wake()
  await until('it was tried three times', () => tries === 3)
  t.strictSame(named(scene.facts, 'spool.postponed'), [], 'there is nobody to make room for')
  t.equal(filesIn(scene.dir).length, 1)
})

t.test('one that this release cannot read is set aside, whole, and told without what is in it', async t => {
  const scene = setScene(t)
  scene.redis.decide = async arrival => numberOf(arrival) === 1 ? 'unreadable' : 'accepted'
  await scene.keep(0, 1, 2)
  scene.drain.wake()
  await untilDrained(scene)
  t.strictSame(scene.accepted.map(numberOf), [0, 2])
  const [aside] = filesIn(scene.dir, '.refused')
  t.match(readFileSync(join(scene.dir, aside!), 'utf8'), /"contentType":"application\/json".*\{"taskId":"task-1","status":1,"type":"x"\}$/)
  t.match(scene.facts, [{ fact: 'spool.set-aside', file: join(scene.dir, aside!), reason: 'taskId: is missing' }, { fact: 'spool.drained', callbacks: 2, setAside: 1 }])
  t.notMatch(JSON.stringify(scene.facts), /task-1/)
})

/** A folder that a process with these callbacks left, its one file changed. */
async function left (t: Test, numbers: number[], change: (bytes: Buffer) => Buffer): Promise<string> {
  const scene = setScene(t)
  await scene.keep(...numbers)
  await scene.stock.close()
  const path = join(scene.dir, filesIn(scene.dir)[0]!)
  writeFileSync(path, change(readFileSync(path)))
  return scene.dir
}

t.test('a damaged stretch is set aside and told, what is around it is accepted', async t => {
  const dir = await left(t, [0, 1, 2], bytes => {
    bytes[bytes.indexOf('task-1')]! ^= 4
    return bytes
  })
  const scene = setScene(t, { dir })
  t.match(await scene.stock.takeOver(), { callbacks: 2 })
  scene.drain.wake()
  await untilDrained(scene)
  t.strictSame(scene.accepted.map(numberOf), [0, 2])
  const [aside] = filesIn(dir, '.damaged')
  const kept = readFileSync(join(dir, aside!))
  t.ok(kept.includes('"status":1') && !kept.includes('task-0') && !kept.includes('task-2'))
  t.match(scene.facts, [{ fact: 'spool.damaged', file: join(dir, aside!), bytes: kept.length }, { fact: 'spool.drained', callbacks: 2, setAside: 1 }])
  t.strictSame(filesIn(dir), [])
})

t.test('a torn end is cut off and told; it was never called safe', async t => {
  const dir = await left(t, [0, 1], bytes => bytes.subarray(0, -5))
  const scene = setScene(t, { dir })
  await scene.stock.takeOver()
  scene.drain.wake()
  await untilDrained(scene)
  t.strictSame(scene.accepted.map(numberOf), [0])
  t.match(scene.facts, [{ fact: 'spool.torn', bytes: Number }, { fact: 'spool.drained', callbacks: 1, setAside: 0 }])
  t.strictSame([filesIn(dir), filesIn(dir, '.damaged')], [[], []])
})

t.test('a process that stops in the middle goes on after what was accepted, not from the start', async t => {
  const scene = setScene(t)
  await scene.keep(...range(0, 100))
  const stopping: { done?: Promise<void> } = {}
  scene.redis.decide = async arrival => {
    if (numberOf(arrival) === 40) stopping.done = scene.drain.stop()
    return 'accepted'
  }
  scene.drain.wake()
  await until('it is stopped', () => stopping.done !== undefined)
  await stopping.done
  await scene.stock.close()
  const done = scene.accepted.length
  t.equal(done, 64, 'the batch under way is finished')
  const next = setScene(t, { dir: scene.dir })
  t.match(await next.stock.takeOver(), { callbacks: 100 - done })
  next.drain.wake()
  await untilDrained(next)
  t.strictSame([...scene.accepted, ...next.accepted].map(numberOf), range(0, 100))
})

t.test('a disk that takes no notes and removes nothing is drained all the same', async t => {
  const scene = setScene(t)
  await scene.keep(...range(0, 40))
  await scene.stock.next()
  const disk = await watchDisk(t, process.execPath)
  disk.on('write', async () => { throw Object.assign(new Error('EROFS: read-only file system, write'), { code: 'EROFS' }) })
  scene.drain.wake()
  await untilDrained(scene)
  t.equal(scene.accepted.length, 40)
  t.match(named(scene.facts, 'spool.trouble'), [{ error: 'EROFS: read-only file system' }])
  t.equal(named(scene.facts, 'spool.trouble').length, 1)
})

t.test('a file that somebody removed is told and not waited for', async t => {
  const scene = setScene(t)
  await scene.keep(0)
  const segment = (await scene.stock.next())!
  rmSync(segment.path)
  await scene.keep(1)
  scene.drain.wake()
  await untilDrained(scene)
  t.match(named(scene.facts, 'spool.trouble'), [{ error: 'ENOENT: no such file or directory', file: segment.path }])
  t.strictSame(scene.accepted.map(numberOf), [1])
})

t.test('set aside is never forgotten for want of room: the rest is drained, and it waits', async t => {
  const scene = setScene(t, { segmentBytes: 1 })
  scene.redis.decide = async arrival => numberOf(arrival) === 0 ? 'unreadable' : 'accepted'
  await scene.keep(0, 1, 2)
  writeFileSync(join(scene.dir, 'set-aside'), 'a file in the place of the directory')
  scene.drain.wake()
  await until('the others are accepted', () => scene.accepted.length === 2)
  t.match(scene.stock.size(), { callbacks: 1 })
  rmSync(join(scene.dir, 'set-aside'))
  scene.drain.wake()
  await untilDrained(scene)
  t.equal(filesIn(scene.dir, '.refused').length, 1)
})
