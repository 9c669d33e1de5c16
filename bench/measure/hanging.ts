/**
 * One of four subscribers takes every request and never answers. What do the
 * other three notice? Once as latency at a low rate, once as what they get
 * from a backlog, both in turns with a gateway whose fourth subscriber is
 * paused and so costs nothing (an answering fourth would take a share of the
 * work, and flatter the comparison).
 */
import { FAN_OUT, gatewayFor, type Bench, type Measure } from '../bench.js'
import { drain, gatewayContestant } from '../drain.js'
import { endToEnd, latencyResults } from '../latency.js'
import type { Quantiles } from '../quantiles.js'
import { ratioOf, resultOf, type Result } from '../result.js'
import { takeTurns } from '../turns.js'

const KEPT = 0.95
const HANGING = '/hang'

async function run (bench: Bench): Promise<Result[]> {
  const { plan: { runs, hangingBacklog: events } } = bench
  const all = [...FAN_OUT, HANGING]
  const hurt = await gatewayFor(bench, all)
  const spared = await gatewayFor(bench, all)
  await spared.pause(HANGING)
  const both = [hurt, spared]
  const [slow, quick] = await takeTurns(runs, both.map(gateway =>
    async () => await endToEnd(bench, gateway, FAN_OUT))) as [Quantiles[], Quantiles[]]
  const [withHanging, without] = await takeTurns(runs, both.map(gateway => {
    const contestant = gatewayContestant(bench, gateway, { timed: FAN_OUT, all })
    return async () => (await drain(bench, contestant, { paths: FAN_OUT, events })).perSecond
  })) as [number[], number[]]

  return [
    ...latencyResults(slow, { measure: 'latency.hanging', says: 'the same, a fourth subscriber hanging' }),
    resultOf({
      measure: 'hanging.others-per-second',
      says: 'delivered to three from a backlog, a fourth hanging',
      unit: 'deliveries/s',
      better: 'more',
      runs: withHanging
    }),
    resultOf({
      measure: 'hanging.spared-per-second',
      says: 'the same, the fourth paused',
      unit: 'deliveries/s',
      better: 'more',
      runs: without
    }),
    ratioOf({ measure: 'hanging.others-keep', says: 'what three keep while a fourth hangs', target: KEPT }, withHanging, without),
    // Turned round, so that here too more is better.
    ...(['p50', 'p99'] as const).map(which => ratioOf({
      measure: `hanging.others-wait-${which}`,
      says: `how soon three have theirs while a fourth hangs: ${which === 'p50' ? 'median' : '99 %'}`,
      target: KEPT
    }, quick.map(latency => latency[which]), slow.map(latency => latency[which])))
  ]
}

export const hanging: Measure = { name: 'hanging', run }
