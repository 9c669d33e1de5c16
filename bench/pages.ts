/**
 * How long an operator waits for a page of a list, through the admin API of a
 * gateway that keeps many events.
 */
import type { Bench } from './bench.js'
import { quantilesOf } from './quantiles.js'
import { resultOf, type Result } from './result.js'
import type { BenchGateway } from './stage/gateway.js'

const PAGE_MS = 50
/** Each list is asked for so many times. */
const TIMES = 20

/** Every kind of list, and what makes one expensive: much to look at and nothing to find. */
const LISTS: ReadonlyArray<[says: string, path: string]> = [
  ['the newest events', '/events?limit=50'],
  ['500 events', '/events?limit=500'],
  ['events of one subscriber', '/events?subscriber=a&limit=50'],
  ['events of a type that there is', '/events?type=avatar&limit=50'],
  ['events of a type that there is not', '/events?type=none&limit=50'],
  ['events of a tenant that there is not', '/events?businessId=nobody&limit=50'],
  ['events of a task that there is not', '/events?taskId=nothing&limit=50'],
  ['deliveries', '/deliveries?limit=50'],
  ['deliveries in a state that most are in', '/deliveries?state=delivered&limit=50'],
  ['deliveries in a state that none is in', '/deliveries?state=failed&limit=50'],
  ['discarded deliveries, of which there are none', '/deliveries?state=discarded&limit=50'],
  ['replays', '/replays'],
  ['subscribers', '/subscribers']
]

/** The slowest list, and a page from the middle of the events. */
export async function pageTimes ({ say }: Bench, gateway: BenchGateway, kept: number): Promise<Result[]> {
  const middle = await cursorInTheMiddle(gateway)
  const found: Array<{ says: string, p50: number, max: number }> = []
  for (const [says, path] of [...LISTS, ['events from further down', `/events?limit=50&cursor=${middle}`] as const]) {
    const { p50, max } = quantilesOf(await times(gateway, path))
    found.push({ says, p50, max })
    say(`${says}: ${p50.toFixed(1)} ms, at most ${max.toFixed(1)} ms`)
  }
  const slowest = found.reduce((one, other) => other.p50 > one.p50 ? other : one)
  return [resultOf({
    measure: 'pages.slowest',
    says: `a page of the slowest list with ${kept.toLocaleString('en')} events kept`,
    unit: 'ms',
    better: 'less',
    runs: [slowest.p50],
    target: PAGE_MS,
    details: { slowest: slowest.says, lists: Object.fromEntries(found.map(({ says, p50, max }) => [says, { p50Ms: p50, maxMs: max }])) }
  })]
}

async function times (gateway: BenchGateway, path: string): Promise<number[]> {
  const tookMs: number[] = []
  for (let time = 0; time <= TIMES; time++) {
    const began = performance.now()
    await gateway.read(path)
    if (time > 0) tookMs.push(performance.now() - began)
  }
  return tookMs
}

/** Some pages of 500 down: a cursor that no first page has. */
async function cursorInTheMiddle (gateway: BenchGateway): Promise<string> {
  let cursor = ''
  for (let page = 0; page < 20; page++) {
    const { nextCursor } = await gateway.read(`/events?limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`) as { nextCursor: string | null }
    if (nextCursor === null) break
    cursor = encodeURIComponent(nextCursor)
  }
  return cursor
}
