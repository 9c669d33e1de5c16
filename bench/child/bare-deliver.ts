/**
 * The ceiling of delivering: a bare loop from BullMQ to undici. The same bodies
 * and subscribers and the same Redis, but no record, no signature, no deadline
 * and no retry: a job is its body.
 */
import { Queue, Worker } from 'bullmq'
import { Pool } from 'undici'
import { bodyOf, taskNames } from '../body.js'
import { answerOrders } from './answer.js'

/** Jobs that are added in one pipeline. */
const BATCH = 500

const nextTask = taskNames()
let queues: Queue[] = []
let workers: Worker[] = []

const orders = {
  /** Makes a queue and a worker for each subscriber; the workers rest. */
  async open ({ socket, port, paths, connections }: { socket: string, port: number, paths: string[], connections: number }): Promise<void> {
    const connection = { path: socket, maxRetriesPerRequest: null }
    queues = paths.map(path => new Queue(path.slice(1), { connection }))
    workers = paths.map(path => {
      const pool = new Pool(`http://127.0.0.1:${port}`, { connections })
      return new Worker(path.slice(1), async job => {
        const { statusCode, body } = await pool.request({
          path, method: 'POST', headers: { 'content-type': 'application/json' }, body: job.data as string
        })
        await body.dump()
        if (statusCode !== 204) throw new Error(`answered ${statusCode}`)
      }, { connection, removeOnComplete: { count: 0 }, autorun: false })
    })
    await Promise.all(workers.map(async worker => { await worker.waitUntilReady() }))
    await orders.hold({})
    for (const worker of workers) void worker.run()
  },
  /** Adds this many jobs to each queue. */
  async fill ({ events }: { events: number }): Promise<void> {
    for (let done = 0; done < events; done += BATCH) {
      const bodies = Array.from({ length: Math.min(BATCH, events - done) }, () => bodyOf(nextTask(), 0))
      await Promise.all(queues.map(async queue => {
        await queue.addBulk(bodies.map(data => ({ name: 'deliver', data })))
      }))
    }
  },
  async hold (_: object): Promise<void> {
    await Promise.all(queues.map(async queue => { await queue.pause() }))
  },
  async release ({ concurrency }: { concurrency: number }): Promise<void> {
    for (const worker of workers) worker.concurrency = concurrency
    await Promise.all(queues.map(async queue => { await queue.resume() }))
  }
}
export type BareDeliverOrders = typeof orders
answerOrders(orders)
