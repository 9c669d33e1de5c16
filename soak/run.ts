/**
 * The soak itself: a first load and a rest, which is what is returned to; the
 * long load, with samples; a rest again.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Redis } from 'ioredis'
import { FAN_OUT } from '../bench/bench.js'
import { startChild, type Child } from '../bench/child/ask.js'
import type { LoadOrders } from '../bench/child/load.js'
import type { SubscriberOrders } from '../bench/child/subscriber.js'
import { startGateway, type BenchGateway } from '../bench/stage/gateway.js'
import { openClient } from '../bench/stage/redis.js'
import type { Stage } from '../bench/stage/stage.js'
import type { SoakOptions } from './options.js'
import { takeSample, type Sample } from './sample.js'
import type { Soaked } from './verdict.js'

const CONNECTIONS = 32
const WARM_SECONDS = 20
const SAMPLE_EVERY_MS = 5_000
/** After the last callback: delivered, a minute of retention, swept. */
const REST_WITHIN_MS = 300_000
/** Idle connections and buffers are given up meanwhile. */
const REST_MS = 30_000
const RESOURCES = fileURLToPath(new URL('./resources.mjs', import.meta.url))

export interface Run extends SoakOptions {
  stage: Stage
  /** Where Redis keeps its data meanwhile. */
  base: string
  say: (text: string) => void
}

interface Field { gateway: BenchGateway, client: Redis, load: Child<LoadOrders>, say: (text: string) => void }

export async function soak ({ stage, base, minutes, perSecond, say }: Run): Promise<Soaked & { answeredPerSecond: number }> {
  const load = startChild<LoadOrders>('load')
  stage.add(load.stop)
  const subscribers = startChild<SubscriberOrders>('subscriber')
  stage.add(subscribers.stop)
  const { port } = await subscribers.ask('listen', {})
  const gateway = await startGateway(stage, { base, logLevel: 'warn', subscriberPort: port, paths: FAN_OUT, nodeArgs: [`--import=${RESOURCES}`], keep: '1m' })
  const field = { gateway, client: openClient(stage, gateway.socket), load, say }

  say(`a first load of ${WARM_SECONDS} s, and a rest`)
  await post(field, { perSecond, seconds: WARM_SECONDS })
  const before = await rest(field)
  say(`${minutes} min at ${perSecond} callbacks per second`)
  const during: Sample[] = []
  let isOver = false
  const posting = post(field, { perSecond, seconds: minutes * 60 }).finally(() => { isOver = true })
  const sampling = (async () => {
    for (;;) {
      await wait(SAMPLE_EVERY_MS)
      if (isOver) return
      during.push(await takeSample(gateway, field.client))
      if (during.length % 12 === 0) say(describe(during.at(-1)!))
    }
  })()
  const [answeredPerSecond] = await Promise.all([posting, sampling])
  say('a rest')
  return { before, during, after: await rest(field), answeredPerSecond }
}

async function post ({ gateway, load }: Field, { perSecond, seconds }: { perSecond: number, seconds: number }): Promise<number> {
  const { refused, perSecond: answered } = await load.ask('open', { ...gateway.ingest, connections: CONNECTIONS, perSecond, seconds })
  if (refused > 0) throw new Error(`${refused} callbacks were not answered 200`)
  return answered
}

/** Waits until nothing is left, and a while longer. */
async function rest ({ gateway, client, say }: Field): Promise<Sample> {
  const until = performance.now() + REST_WITHIN_MS
  while (performance.now() < until && await client.zcard('{relay}:events') > 0) await wait(SAMPLE_EVERY_MS)
  await wait(REST_MS)
  const sample = await takeSample(gateway, client)
  say(describe(sample))
  return sample
}

/** One sample, for a person. */
export function describe ({ rss, descriptors, timers, redisMemory, keys, events }: Sample): string {
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`
  return `gateway ${megabytes(rss)}, ${descriptors} descriptors, ${timers} timers; Redis ${megabytes(redisMemory)}, ${keys} keys, ${events} events`
}
