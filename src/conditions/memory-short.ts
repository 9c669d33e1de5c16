/** Redis is nearly full: finished events are evicted; when it is full, callbacks are refused. */
import { SHORT_ABOVE } from '../record/evict.js'
import { found, type ConditionRule } from './condition.js'

export const memoryShort: ConditionRule = {
  name: 'memory-short',
  severity: 'critical',
  of: 'relay',
  isReason: true,
  find ({ memory }) {
    if (memory === null || memory.usedBytes <= memory.maxBytes * SHORT_ABOVE) return []
    const percent = Math.floor(memory.usedBytes / memory.maxBytes * 100)
    return found(`Redis has used ${percent} % of its memory: finished events are evicted before their retention ends, so that it does not fill up`, { ...memory })
  }
}
