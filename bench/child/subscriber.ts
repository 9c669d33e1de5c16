/**
 * The subscribers, in a process of their own: one server, a path for each.
 * Answers 204 at once, or never, and notes when deliveries arrive.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { dueUsOf } from '../body.js'
import { nowUs } from '../clock.js'
import { quantilesOf, type Quantiles } from '../quantiles.js'
import { answerOrders } from './answer.js'

interface Marks { paths: Set<string>, marks: number[], arrived: number, timesUs: number[], resolve: (timesUs: number[]) => void }
interface Collection { paths: Set<string>, count: number, samplesMs: number[], resolve: (quantiles: Quantiles) => void }

/** A count that goes on stops when nothing has arrived for so long. */
const QUIET_MS = 500

let lastUs = 0
const counting = new Set<{ paths: Set<string>, arrived: number }>()
const watching = new Set<Marks>()
const collecting = new Set<Collection>()

const server = createServer((request, response) => {
  const path = request.url!
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    arrive(path, chunks)
    if (path.startsWith('/hang')) return
    response.writeHead(204).end()
  })
})
// A backlog is posted on connections that may have been idle for long.
server.keepAliveTimeout = 600_000

function arrive (path: string, chunks: Buffer[]): void {
  lastUs = nowUs()
  for (const count of counting) if (count.paths.has(path)) count.arrived++
  for (const watch of watching) {
    if (!watch.paths.has(path)) continue
    watch.arrived++
    if (watch.arrived < watch.marks[watch.timesUs.length]!) continue
    watch.timesUs.push(nowUs())
    if (watch.timesUs.length < watch.marks.length) continue
    watching.delete(watch)
    watch.resolve(watch.timesUs)
  }
  for (const collection of collecting) {
    if (!collection.paths.has(path)) continue
    collection.samplesMs.push((nowUs() - dueUsOf(Buffer.concat(chunks))) / 1e3)
    if (collection.samplesMs.length < collection.count) continue
    collecting.delete(collection)
    collection.resolve(quantilesOf(collection.samplesMs))
  }
}

const orders = {
  /** Listens on a free port. */
  async listen (_: object): Promise<{ port: number }> {
    await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
    return { port: (server.address() as AddressInfo).port }
  },
  /** Counts from now; resolves when the last mark is reached, with the time of each, microseconds. Marks rise. */
  async arrivals ({ paths, marks }: { paths: string[], marks: number[] }): Promise<number[]> {
    return await new Promise(resolve => {
      watching.add({ paths: new Set(paths), marks, arrived: 0, timesUs: [], resolve })
    })
  },
  /** Counts for so long, from the first arrival on. */
  async count ({ paths, seconds }: { paths: string[], seconds: number }): Promise<{ perSecond: number }> {
    const count = { paths: new Set(paths), arrived: 0 }
    counting.add(count)
    while (count.arrived === 0) await wait(1)
    const [fromUs, before] = [nowUs(), count.arrived]
    await wait(seconds * 1e3)
    counting.delete(count)
    return { perSecond: (count.arrived - before) / (nowUs() - fromUs) * 1e6 }
  },
  /** Resolves when nothing arrives any more. */
  async quiet (_: object): Promise<void> {
    while (nowUs() - lastUs < QUIET_MS * 1e3) await wait(QUIET_MS / 5)
  },
  /** From now, the time between a callback's due moment and its arrival here; resolves after `count` of them. */
  async latencies ({ paths, count }: { paths: string[], count: number }): Promise<Quantiles> {
    return await new Promise(resolve => {
      collecting.add({ paths: new Set(paths), count, samplesMs: [], resolve })
    })
  }
}
export type SubscriberOrders = typeof orders
answerOrders(orders)
