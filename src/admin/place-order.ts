/**
 * How every order about many deliveries or events is answered: placed, and 202 at
 * once, whatever it means; counted and carried out in the background. A dry
 * run counts while somebody waits for it: up to 10,000 exactly.
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
  id: nullable(Type.String(), { description: 'of the order, to be looked at under /replays/{id}; null for a dry run' }),
  matched: nullable(Count, { description: 'null while it is not counted yet: /replays/{id} tells' }),
  atLeast: Type.Optional(Type.Boolean({ description: 'true when there may be more: a dry run stops at 10,000' }))
})

/** The answers of a route that places orders. */
export const ORDER_ANSWERS: Readonly<Record<number, RouteAnswer>> = {
  200: { means: 'Dry run: what would be done', schema: Placed },
  202: { means: 'The order is taken and runs in the background', schema: Placed }
}

/** Places an order, or counts for a dry run. */
export async function answerOrder (
  { store, subscribers, wakeReplays }: AdminOptions, order: Order, { dryRun, reply }: { dryRun: boolean, reply: FastifyReply }
): Promise<FastifyReply | Static<typeof Placed>> {
  if (dryRun) {
    const left = new AbortController()
    reply.raw.once('close', () => { left.abort() })
    return { id: null, ...await countSoFar(store, order, { subscribers: subscribers(), signal: left.signal }) }
  }
  const id = await placeOrder(store, order)
  reply.raw.once('finish', wakeReplays)
  return reply.code(202).header('location', `${API}/replays/${id}`).send({ id, matched: null })
}
