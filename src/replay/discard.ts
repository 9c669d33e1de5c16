/**
 * Gives deliveries up, in steps that cost the same however many others wait:
 * no job is looked for in the line of its queue. What changed since it was
 * selected is left alone.
 */
import type { DeliveryState } from '../model/delivery.js'
import type { RecordStore } from '../record/store.js'
import { loadRecordScript } from '../record/lua.js'
import { runPackedScript } from '../redis/script.js'
import { DISCARDABLE, type Meant } from './order.js'

const DISCARD = loadRecordScript(new URL('./discard.lua', import.meta.url))

export interface DiscardOptions {
  /** `null` when this is no order in the background. */
  orderId: string | null
  /** The states that fit, when a delivery is no longer in the one it was found in. */
  states: readonly DeliveryState[]
  /** The sequence below which the order goes on, noted in the same step. */
  cursor?: number
}

const AT_ONCE: DiscardOptions = { orderId: null, states: DISCARDABLE }

/**
 * Discards deliveries in one atomic step.
 *
 * @param deliveries  at most a few hundred
 * @returns           how many
 * @throws            what ioredis throws
 */
export async function discardDeliveries (
  { redis, keys }: RecordStore, deliveries: readonly Meant[], { orderId, states, cursor }: DiscardOptions = AT_ONCE
): Promise<number> {
  const { output } = await runPackedScript(redis, DISCARD, {
    key: keys.events,
    input: {
      prefix: `{${keys.prefix}}:`,
      queues: keys.queuePrefix,
      order: orderId ?? '',
      cursor: cursor ?? '',
      states: Object.fromEntries(states.map(state => [state, true])),
      deliveries: deliveries.map(({ eventId, subscriber, state, generation }) => [eventId, subscriber, state ?? '', generation])
    }
  })
  return output as number
}
