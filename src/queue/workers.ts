/**
 * One worker per subscriber of the running configuration. Workers are started,
 * adjusted and stopped as the configuration changes, and replaced if they stop
 * taking jobs.
 */
import type { Subscriber } from '../model/subscriber.js'
import { createBatches, type Batches, type Recording } from './bullmq/batches.js'
import { startWorker, type DeliveryWorker, type WorkerOptions } from './bullmq/worker.js'
import { startWatchdog, type Watchdog, type WatchdogOptions } from './watchdog.js'

/**
 * A healthy worker moves a job or asks for one at least every ten seconds, or
 * when an attempt ends. It is stuck if it is this much later, milliseconds.
 */
const STUCK_AFTER_MS = 30_000

export interface WorkersOptions extends Pick<WorkerOptions, 'deliver' | 'redis' | 'keys' | 'report'>, Pick<WatchdogOptions, 'tickEveryMs'> {
  recording: Recording
  /** Default 30 s. */
  stuckAfterMs?: number
}

export interface Workers {
  /** Makes the workers match these subscribers. Returns when stopped workers have given their jobs back. */
  apply (subscribers: readonly Subscriber[], graceMs: number): Promise<void>
  /** Subscribers whose worker has no connection for blocking reads now: it gets no jobs. */
  lostConnections (): string[]
  /** Stops all workers together; see {@link DeliveryWorker.stop}. */
  stop (graceMs: number): Promise<void>
}

interface RunningWorker {
  subscriber: Subscriber
  worker: DeliveryWorker
  /** By `performance.now()`. */
  startedAt: number
}

/** A stopped worker takes no jobs. */
const NO_JOBS = { concurrency: 0, rateLimit: null }

/** Makes an empty set of workers; `apply` starts them. */
export function createWorkers (options: WorkersOptions): Workers {
  return new WorkerSet(options)
}

class WorkerSet implements Workers {
  readonly #running = new Map<string, RunningWorker>()
  readonly #batches: Batches
  readonly #watchdog: Watchdog
  #hasEnded = false

  constructor (private readonly options: WorkersOptions) {
    this.#batches = createBatches({ ...options, limitsOf: name => this.#running.get(name)?.subscriber ?? NO_JOBS })
    this.#watchdog = startWatchdog({
      ...options,
      stuck: () => this.#stuck(),
      askRedis: async () => await options.redis.ping(),
      replace: name => { this.#replace(this.#running.get(name)!) }
    })
  }

  async apply (subscribers: readonly Subscriber[], graceMs: number): Promise<void> {
    const wanted = new Set(subscribers.map(({ name }) => name))
    const gone = [...this.#running].filter(([name]) => !wanted.has(name))
    for (const [name] of gone) this.#running.delete(name)
    const stopped = gone.map(async ([, { worker }]) => { await worker.stop(graceMs) })
    try {
      if (!this.#hasEnded) subscribers.forEach(subscriber => { this.#adjust(subscriber) })
    } finally {
      await Promise.all(stopped)
    }
  }

  lostConnections (): string[] {
    return [...this.#running].filter(([, { worker }]) => !worker.isConnected()).map(([name]) => name)
  }

  async stop (graceMs: number): Promise<void> {
    this.#hasEnded = true
    this.#watchdog.stop()
    await Promise.all([...this.#running.values()].map(async ({ worker }) => { await worker.stop(graceMs) }))
    this.#running.clear()
  }

  #adjust (subscriber: Subscriber): void {
    const present = this.#running.get(subscriber.name)
    if (present === undefined) return this.#start(subscriber)
    present.worker.setConcurrency(subscriber.concurrency)
    present.subscriber = subscriber
  }

  #start (subscriber: Subscriber): void {
    const { name, concurrency } = subscriber
    const worker = startWorker({
      ...this.options,
      batches: this.#batches,
      subscriber: name,
      concurrency
    })
    this.#running.set(name, { subscriber, worker, startedAt: performance.now() })
  }

  /** An attempt that hangs ends with its timeout. */
  #stuck (): string[] {
    const { stuckAfterMs = STUCK_AFTER_MS } = this.options
    return [...this.#running].filter(([, one]) => this.#idleMs(one) > one.subscriber.timeoutMs + stuckAfterMs).map(([name]) => name)
  }

  #idleMs ({ worker, startedAt }: RunningWorker): number {
    return performance.now() - Math.max(startedAt, worker.movedAt())
  }

  #replace (stuck: RunningWorker): void {
    this.options.report({ fact: 'queue.worker-replaced', subscriber: stuck.subscriber.name, idleMs: Math.round(this.#idleMs(stuck)) })
    stuck.worker.abandon()
    this.#start(stuck.subscriber)
  }
}
