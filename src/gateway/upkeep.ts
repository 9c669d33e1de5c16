/**
 * What one of all replicas does for all of them, again and again, by its
 * configuration: the holds that it decides are true, subscribers that are no
 * more are forgotten, and backlogs stay within their bounds.
 *
 * It is the replica whose configuration was taken up last that does so (see
 * `record/configured-holds`), in whatever role it runs.
 */
import type { Config } from '../config/config.js'
import type { Report } from '../model/fact.js'
import type { Queues } from '../queue/bullmq/queues.js'
import { createForgetSubscribers } from '../queue/forget-subscribers.js'
import { createConfiguredHolds, type HoldChange } from '../record/configured-holds.js'
import type { RecordStore } from '../record/store.js'
import { createBoundBacklogs } from '../replay/bound-backlog.js'
import { repeat, type Repeated } from '../time/repeat.js'
import { within } from '../time/within.js'

const ROUND_MS = 2_000
/** How long a stop waits for the step under way. Without Redis it never ends, and the next replica makes up for it. */
const LAST_STEP_MS = 1_000

export interface UpkeepOptions {
  /** Waits for Redis. */
  store: RecordStore
  queues: Queues
  /** The running configuration. */
  config: () => Pick<Config, 'subscribers'>
  report: Report
}

export interface Upkeep {
  /** The running configuration has been taken up: aligns the holds with it. @throws what ioredis throws */
  takeUp (): Promise<void>
  start (): void
  /** Waits for the step under way and no other. */
  stop (): Promise<void>
}

/** Makes it; nothing runs before `start` or `takeUp`. Errors of Redis end a round, and the next one comes all the same. */
export function createUpkeep ({ store, queues, config, report }: UpkeepOptions): Upkeep {
  let isStopped = false
  let rounds: Repeated | undefined
  const holds = createConfiguredHolds(store)
  const forget = createForgetSubscribers({ ...store, queues })
  const boundBacklogs = createBoundBacklogs({ store, report, mayGoOn: () => !isStopped })

  /** Whoever is let go gets what waits at once. */
  async function tell (changes: readonly HoldChange[]): Promise<void> {
    for (const { subscriber, hold, set } of changes) {
      report({ fact: set ? 'subscriber.held' : 'subscriber.released', subscriber, by: hold })
      if (!set) await queues.wake(subscriber)
    }
  }

  async function round (): Promise<void> {
    const { subscribers } = config()
    const aligned = await holds.keep(subscribers)
    if (aligned === null) return
    await tell(aligned.changes)
    if (isStopped) return
    for (const subscriber of await forget(aligned.removed)) report({ fact: 'subscriber.forgotten', subscriber })
    await boundBacklogs(subscribers)
  }

  return {
    async takeUp () { await tell((await holds.takeUp(config().subscribers)).changes) },
    start () {
      rounds = repeat(round, {
        everyMs: () => ROUND_MS,
        failed (error) {
          if (!isStopped) report({ fact: 'queue.trouble', subscriber: null, error: error instanceof Error ? error.message : String(error) })
        }
      })
    },
    async stop () {
      isStopped = true
      if (rounds !== undefined) await within(LAST_STEP_MS, rounds.stop(), () => {})
    }
  }
}
