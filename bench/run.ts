/**
 * Runs the measures one after the other. One that fails or takes too long is
 * noted and the next begins; whatever it started is stopped first.
 */
import { loadavg } from 'node:os'
import type { Bench } from './bench.js'
import { startChild } from './child/ask.js'
import type { FillOrders } from './child/fill.js'
import type { LoadOrders } from './child/load.js'
import type { SubscriberOrders } from './child/subscriber.js'
import { describeEnvironment } from './environment.js'
import { MEASURES } from './measures.js'
import type { BenchOptions } from './options.js'
import type { BenchDocument } from './report/document.js'
import type { Result } from './result.js'
import { openStage, type Stage } from './stage/stage.js'

export interface RunOptions extends BenchOptions {
  /** Everything stands on it; closing it ends the run. */
  root: Stage
  signal: AbortSignal
  say: (text: string) => void
}

type Shared = Omit<Bench, 'stage'>

/** Measures; rejects only when nothing could be started, or when interrupted. */
export async function runBench (options: RunOptions): Promise<BenchDocument> {
  const startedAt = new Date()
  const environment = await describeEnvironment(options)
  const found: Array<Result> = []
  const failures: Record<string, string> = {}
  const loadBefore: Record<string, number> = {}
  const untilMs = performance.now() + options.plan.runWithinMs
  for (const { name, run } of MEASURES.filter(({ name }) => options.only.includes(name))) {
    options.signal.throwIfAborted()
    loadBefore[name] = loadavg()[0]!
    const stage = openStage()
    options.root.add(stage.close)
    const since = performance.now()
    options.say(`${name} …`)
    try {
      const shared = await startShared(options, stage)
      found.push(...await within({ ...options, untilMs }, async () => await run({ ...shared, stage })))
      options.say(`${name}: ${((performance.now() - since) / 1_000).toFixed(1)} s`)
    } catch (error) {
      options.signal.throwIfAborted()
      failures[name] = error instanceof Error ? error.message : String(error)
      options.say(`${name} FAILED: ${failures[name]}`)
    } finally {
      await stage.close()
    }
  }
  return {
    format: 'fotor-relay-bench/1',
    mode: options.mode,
    startedAt: startedAt.toISOString(),
    seconds: (Date.now() - startedAt.getTime()) / 1_000,
    environment,
    loadBefore,
    results: found.filter(({ unit }) => unit !== 'ratio'),
    ratios: found.filter(({ unit }) => unit === 'ratio'),
    failures
  }
}

/** The processes that a measure needs around the gateway; fresh for each, so that none inherits another's garbage. */
async function startShared ({ plan, base, logLevel, say }: RunOptions, stage: Stage): Promise<Shared> {
  const load = startChild<LoadOrders>('load')
  stage.add(load.stop)
  const filler = startChild<FillOrders>('fill')
  stage.add(filler.stop)
  const subscribers = startChild<SubscriberOrders>('subscriber')
  stage.add(subscribers.stop)
  const { port } = await subscribers.ask('listen', {})
  return { plan, base, logLevel, say: text => { say(`  ${text}`) }, load, filler, subscribers, subscriberPort: port }
}

async function within ({ plan, signal, untilMs }: RunOptions & { untilMs: number }, run: () => Promise<Result[]>): Promise<Result[]> {
  const limitMs = Math.min(plan.measureWithinMs, untilMs - performance.now())
  if (limitMs <= 0) throw new Error('the time for the whole run was over before it began')
  let timer: NodeJS.Timeout | undefined
  const cut = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => { reject(new Error(`not done after ${Math.round(limitMs / 1_000)} s`)) }, limitMs)
    signal.addEventListener('abort', () => { reject(new Error('interrupted')) })
  })
  const measuring = run()
  measuring.catch(() => {}) // what it says after it was given up is of no interest
  try {
    return await Promise.race([measuring, cut])
  } finally {
    clearTimeout(timer)
  }
}
