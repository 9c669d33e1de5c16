/**
 * One worker per subscriber of the running configuration: started, adjusted
 * and stopped as the configuration changes.
 */
import type { Subscriber } from '../model/subscriber.js'
import type { Queues } from './queues.js'
import { createTurns, type Recording } from './turns.js'
import { startWorker, type DeliveryWorker, type WorkerOptions } from './worker.js'

export interface WorkersOptions extends Pick<WorkerOptions, 'deliver' | 'redis' | 'keys' | 'report'> {
  queues: Queues
  recording: Recording
}

export interface Workers {
  /** Makes the workers match these subscribers. Returns when stopped ones have given their jobs back. */
  apply (subscribers: readonly Subscriber[], graceMs: number): Promise<void>
  /** Stops all of them at once; see {@link DeliveryWorker.stop}. */
  stop (graceMs: number): Promise<void>
}

/** Makes an empty set of workers; `apply` starts them. */
export function createWorkers (options: WorkersOptions): Workers {
  const workers = new Map<string, DeliveryWorker>()
  const turns = createTurns(options)
  let ended = false

  function start ({ name, concurrency }: Subscriber): DeliveryWorker {
    return startWorker({
      ...options,
      turns,
      subscriber: name,
      concurrency,
      pauseQueue: async () => { await options.queues.setPaused(name, true) },
      keepQuiet: async quietMs => { await options.queues.keepQuiet(name, quietMs) }
    })
  }

  return {
    async apply (subscribers, graceMs) {
      const wanted = new Set(subscribers.map(({ name }) => name))
      const gone = [...workers].filter(([name]) => !wanted.has(name))
      for (const [name] of gone) workers.delete(name)
      const stopped = gone.map(async ([, worker]) => { await worker.stop(graceMs) })
      try {
        for (const subscriber of subscribers) {
          await options.queues.setLimits(subscriber)
          if (ended) return
          const worker = workers.get(subscriber.name)
          if (worker === undefined) workers.set(subscriber.name, start(subscriber))
          else worker.setConcurrency(subscriber.concurrency)
        }
      } finally {
        await Promise.all(stopped)
      }
    },
    async stop (graceMs) {
      ended = true
      await Promise.all([...workers.values()].map(async worker => { await worker.stop(graceMs) }))
      workers.clear()
    }
  }
}
