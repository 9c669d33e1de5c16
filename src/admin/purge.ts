/**
 * Purges: events deleted for good, by whom they are about or by their age, in
 * the background.
 */
import { Type, type Static } from 'typebox'
import { readTime } from '../record/read-time.js'
import type { PurgeOrder } from '../replay/order.js'
import { invalid } from './check-input.js'
import { FILTER_BODY, readFilters } from './filters.js'
import type { AdminOptions } from './options.js'
import { answerOrder, ORDER_ANSWERS } from './place-order.js'
import { API, type Route } from './route.js'

const { taskId, businessId, until } = FILTER_BODY

const purgeBody = Type.Object({
  taskId,
  businessId,
  until,
  dryRun: Type.Optional(Type.Boolean({ description: 'true to count and change nothing' }))
})

/** The route of `/purge`. */
export function purgeRoutes (options: AdminOptions): Route[] {
  return [{
    method: 'POST',
    path: `${API}/purge`,
    does: 'Orders every event that fits to be deleted for good, with its body, its attempts and what is still owed of it. Repeats of it are still recognised.',
    body: purgeBody,
    answers: ORDER_ANSWERS,
    async handle (request, reply) {
      const { dryRun = false, ...filters } = request.body as Static<typeof purgeBody>
      if (Object.keys(filters).length === 0) throw invalid([{ name: 'taskId', problem: 'Give at least one of taskId, businessId and until: a purge never means everything.' }])
      const order: PurgeOrder = { kind: 'purge', filter: readFilters(filters, await readTime(options.store)) }
      return await answerOrder(options, order, { dryRun, reply })
    }
  }]
}
