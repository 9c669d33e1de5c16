/**
 * The ceiling of accepting: a bare Fastify route that does three plain BullMQ
 * adds. Durable by the same Redis, but no identity, no claim, no record, no
 * transaction: three jobs, each with the body.
 */
import { Queue } from 'bullmq'
import Fastify from 'fastify'
import type { AddressInfo } from 'node:net'
import { answerOrders } from './answer.js'

const orders = {
  /** Listens on a free port. */
  async listen ({ socket, queues: names }: { socket: string, queues: string[] }): Promise<{ port: number }> {
    const queues = names.map(name => new Queue(name, { connection: { path: socket } }))
    const app = Fastify()
    app.post('/', async request => {
      await Promise.all(queues.map(async queue => await queue.add('deliver', request.body)))
      return { status: 'accepted' }
    })
    await app.listen({ host: '127.0.0.1', port: 0 })
    return { port: (app.server.address() as AddressInfo).port }
  }
}
export type BareAcceptOrders = typeof orders
answerOrders(orders)
