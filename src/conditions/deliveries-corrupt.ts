/** Deliveries failed because what the record has of them cannot be read. */
import type { ConditionRule } from './condition.js'

export const deliveriesCorrupt: ConditionRule = {
  name: 'deliveries-corrupt',
  severity: 'warning',
  of: 'relay',
  isReason: false,
  find: ({ subscribers }) => (subscribers ?? []).filter(({ corrupt }) => corrupt > 0).map(({ name: subscriber, corrupt }) => {
    const [deliveries, them] = corrupt === 1 ? ['delivery', 'it'] : ['deliveries', 'them']
    return {
      subscriber,
      summary: `${corrupt} ${deliveries} to subscriber ${subscriber} could not be read in Redis and failed: replay or discard ${them}, and look for what damaged Redis's data`,
      figures: { corrupt }
    }
  })
}
