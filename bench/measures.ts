/**
 * Every measure, in the order in which they run: those that need a quiet
 * machine first, the one that fills Redis last.
 */
import type { Measure } from './bench.js'
import { accepting } from './measure/accepting.js'
import { acknowledging } from './measure/acknowledging.js'
import { bothWays } from './measure/both-ways.js'
import { costOfWaiting } from './measure/cost-of-waiting.js'
import { delivering } from './measure/delivering.js'
import { discarding } from './measure/discarding.js'
import { hanging } from './measure/hanging.js'
import { latencyIdle } from './measure/latency-idle.js'
import { loading } from './measure/loading.js'
import { manySubscribers } from './measure/many-subscribers.js'
import { memory } from './measure/memory.js'
import { outages } from './measure/outages.js'
import { remembering } from './measure/remembering.js'
import { repeats } from './measure/repeats.js'
import { scaling } from './measure/scaling.js'
import { upkeep } from './measure/upkeep.js'

export const MEASURES: readonly Measure[] = [
  latencyIdle, acknowledging, accepting, repeats, delivering, bothWays, hanging, outages, scaling, manySubscribers, upkeep, memory, remembering, discarding, loading, costOfWaiting
]
