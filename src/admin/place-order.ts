/**
 * The answers to orders on many deliveries: an order is placed and answered 202 at
 * once, whatever its size, then counted and carried out in the background. A dry
 * run counts as far as one request may.
 */
import type { FastifyReply } from 'fastify'
import { Type, type Static } from 'typebox'
import { countSoFar } from '../replay/count.js'
import type { Order } from '../replay/order.js'
import { placeOrder } from '../replay/orders.js'
import type { AdminOptions } from './options.js'
import { API, type RouteAnswer } from './route.js'
import { Count, nullable } from './shapes.js'

export const Placed = Type.Object({
  id: nullable(Type.String(), { description: 'id of the order; its progress is at /replays/{id}; null for a dry run' }),
  matched: nullable(Count, { description: 'null until it is counted; then /replays/{id} has it' }),
  atLeast: Type.Optional(Type.Boolean({ description: 'true if there may be more: a dry run stops counting at 10,000 deliveries, or after about 200,000 events' }))
})

/** The answers of a route that places orders. */
export const ORDER_ANSWERS: Readonly<Record<number, RouteAnswer>> = {
  200: { means: 'Dry run: what the order would affect', schema: Placed },
  202: { means: 'The order is accepted and runs in the background', schema: Placed }
}

/** Places an order, or counts for a dry run. */
export async function answerOrder (
  { store, subscribers, wakeReplays }: AdminOptions, order: Order, { dryRun, reply }: { dryRun: boolean, reply: FastifyReply }
): Promise<FastifyReply | Static<typeof Placed>> {
  if (dryRun) return { id: null, ...await countSoFar(store, order, { subscribers: subscribers() }) }
  const id = await placeOrder(store, order)
  reply.raw.once('finish', wakeReplays)
  return reply.code(202).header('location', `${API}/replays/${id}`).send({ id, matched: null })
}
