/**
 * Puts the steps of the journey together: accept, queue, deliver, record, and
 * what mends and tidies them in the background.
 */
import { createAccept } from '../accept/accept.js'
import type { Accept } from '../accept/arrival.js'
import type { Config } from '../config/config.js'
import { createPipeline } from '../deliver/pipeline.js'
import type { Report } from '../model/fact.js'
import type { Role } from '../model/replica.js'
import { createOutbound, type Outbound } from '../outbound/request.js'
import { createBreakers } from '../queue/breakers.js'
import { createQueues, type Queues } from '../queue/bullmq/queues.js'
import { createReconciler } from '../queue/reconcile.js'
import { createWorkers, type Workers } from '../queue/workers.js'
import { stepBreakers } from '../record/breakers.js'
import { readHolds } from '../record/holds.js'
import { createSweeper } from '../record/sweep.js'
import { createOrderRunner } from '../replay/run.js'
import type { Stopping } from './stopping.js'
import type { Storage } from './storage.js'
import type { Teardown } from './teardown.js'
import { createUpkeep } from './upkeep.js'

export interface JourneyOptions {
  storage: Storage
  /** The running configuration, asked whenever it is needed. */
  config: () => Config
  role: Role
  version: string
  report: Report
  teardown: Teardown
  stopping: Stopping
}

export interface Journey {
  accept: Accept
  queues: Queues
  wakeReplays: () => void
  /** Names of the connections of the queue that are not there now; see `createSnapshots`. */
  lostConnections: () => string[]
  /** Makes holds, limits, workers and connections match the running configuration. */
  align: () => Promise<void>
}

/** Of the time to stop in, this much is kept for giving jobs back and closing; of a short time, half. */
const CLOSING_MS = 2_000

/** Starts everything between the listener and the subscribers. */
export function openJourney (options: JourneyOptions): Journey {
  const { storage, config, report, teardown } = options
  const { accepting, blocking, connections, confirmed } = storage
  const queues = createQueues({ redis: connections.blocking, keys: blocking.keys, report })
  teardown.push('queues', async () => { await queues.close() })

  const sweeper = createSweeper(blocking, {
    policy: () => ({ ...config().retention, ...config().dedupe }), report
  })
  teardown.push('sweeper', sweeper.stop)
  sweeper.start()

  const upkeep = createUpkeep({ store: blocking, queues, config, report })
  teardown.push('upkeep', upkeep.stop)
  upkeep.start()

  const delivering = options.role === 'ingest' ? null : startDelivering(options, queues)
  return {
    queues,
    accept: createAccept({ store: accepting, queues, policy: config, report, confirmed }),
    wakeReplays: delivering?.wakeReplays ?? (() => {}),
    lostConnections: () => delivering?.lostConnections() ?? [],
    async align () {
      await upkeep.takeUp()
      await delivering?.apply()
    }
  }
}

interface Delivering { apply: () => Promise<void>, wakeReplays: () => void, lostConnections: () => string[] }

function startDelivering (options: JourneyOptions, queues: Queues): Delivering {
  const { storage: { blocking, connections }, config, version, report, teardown } = options
  const outbound = createOutbound()
  teardown.push('outbound connections', () => { outbound.close() })

  const breakers = createBreakers({
    subscribers: () => config().subscribers,
    queues,
    step: async subscribers => await stepBreakers(blocking, subscribers),
    report
  })
  teardown.push('breakers', breakers.stop)
  breakers.start()

  const reconciler = createReconciler({
    redis: connections.blocking,
    keys: blocking.keys,
    queues,
    subscribers: async () => [...(await readHolds(blocking)).keys()],
    report
  })
  teardown.push('reconciler', async () => { await reconciler.stop() })
  reconciler.start()

  const pipeline = createPipeline({
    subscriberOf: name => config().subscribers.find(subscriber => subscriber.name === name), request: outbound.request, version, report
  })
  const workers = createWorkers({
    redis: connections.blocking,
    keys: blocking.keys,
    report,
    deliver: pipeline.deliver,
    recording: pipeline
  })
  teardown.push('workers', async () => { await workers.stop(attemptGraceMs(options.stopping.leftMs())) })

  const replays = createOrderRunner({
    store: blocking, queues, subscribers: () => config().subscribers, windowMs: () => config().dedupe.windowMs, report
  })
  teardown.push('replays', async () => { await replays.stop() })
  replays.start()

  return {
    apply: async () => { await applySubscribers(config(), workers, outbound) },
    wakeReplays: replays.wake,
    lostConnections: () => [...connections.blocking.status === 'ready' ? [] : ['that of all subscribers'], ...workers.lostConnections()]
  }
}

async function applySubscribers (config: Config, workers: Workers, outbound: Outbound): Promise<void> {
  await workers.apply(config.subscribers, attemptGraceMs(config.shutdownGraceMs))
  outbound.keepOnly(config.subscribers)
}

/** How long attempts in flight may go on, of the time that is left, milliseconds. */
function attemptGraceMs (leftMs: number): number {
  return leftMs > 2 * CLOSING_MS ? leftMs - CLOSING_MS : leftMs / 2
}
