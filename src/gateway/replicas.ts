/**
 * This process among its replicas: it announces itself with the fingerprint of its
 * configuration, and notices other configurations.
 *
 * A difference is reported after it has lasted for a while, because a reload or a
 * rolling restart never reaches all replicas at the same moment; it is reported
 * once, and once more when it has ended. It has no other effect: a replica with
 * another configuration continues to work.
 */
import type { Config } from '../config/config.js'
import { fingerprintOf } from '../config/fingerprint.js'
import type { Report } from '../model/fact.js'
import { differing, type Replica } from '../model/replica.js'
import { sortableId } from '../model/sortable-id.js'
import { announceReplica, fingerprintSalt, forgetReplica, keepReplica, readReplicas } from '../record/replicas.js'
import type { RecordStore } from '../record/store.js'
import type { Logger } from '../telemetry/log.js'
import { repeat, type Repeated } from '../time/repeat.js'

/** Milliseconds. */
export interface ReplicaTimes {
  /** Interval between two signs of life. */
  beatMs: number
  /** How long a sign of life is valid. */
  lifetimeMs: number
  /** A shorter difference is not reported. */
  graceMs: number
}

const TIMES: ReplicaTimes = { beatMs: 2_000, lifetimeMs: 10_000, graceMs: 15_000 }

export interface ReplicasOptions {
  /** A fail-fast connection. */
  store: RecordStore
  /** The fields of this process that do not change while it runs. */
  self: Omit<Replica, 'id' | 'fingerprint' | 'configuredAt'>
  /** The running configuration, a new object after each reload. */
  config: () => Config
  report: Report
  logger: Logger
  times?: ReplicaTimes
}

export interface Replicas {
  /** The id of this process among them. */
  id: string
  /** Starts to announce this process. */
  start (): void
  /** Announces it at once, because its configuration has changed. */
  wake (): void
  /** Whether it is the first of them, so that one replica does what only one should; for a moment it may be none, or two. */
  isFirst (): boolean
  /** What is wrong among the replicas, in words for an operator, without host names; `null` if nothing is. */
  trouble (): string | null
  /** Removes this process from the list. */
  leave (): Promise<void>
}

/** Makes what announces this process; nothing happens before `start`. An error of Redis ends one beat, not the announcing. */
export function joinReplicas (options: ReplicasOptions): Replicas {
  const { store, self, logger, times = TIMES } = options
  const id = 'rep_' + sortableId(self.startedAt)
  const announce = announcerOf(options, { id, lifetimeMs: times.lifetimeMs })
  const differences = watchDifferences(options, times)
  let beats: Repeated | undefined
  let failing = false
  let first: string | undefined

  async function beat (): Promise<void> {
    await announce()
    const replicas = await readReplicas(store)
    differences.see(replicas)
    first = replicas.map(replica => replica.id).sort()[0]
    failing = false
  }

  function failed (error: unknown): void {
    if (!failing) logger.warn({ err: error }, 'this replica could not announce itself; it will try again')
    failing = true
  }

  return {
    id,
    start () { beats = repeat(beat, { everyMs: () => times.beatMs, failed, now: true }) },
    wake () { beats?.wake() },
    isFirst: () => first === id,
    trouble: differences.trouble,
    async leave () {
      await beats?.stop()
      await forgetReplica(store, id).catch(() => {}) // Redis is away: the entry expires by itself
    }
  }
}

/** The findings about a configuration, and which configuration it was. */
interface ReplicaDescription {
  running: Config
  salt: string
  fingerprint: string
  configuredAt: number
}

/** Makes the function that announces this process: all fields if something may have changed, else only the sign of life. */
function announcerOf ({ store, self, config }: ReplicasOptions, { id, lifetimeMs }: { id: string, lifetimeMs: number }): () => Promise<void> {
  let described: ReplicaDescription | null = null
  let announced = false

  async function describe (running: Config, salt: string): Promise<ReplicaDescription> {
    const fingerprint = await fingerprintOf(running, salt)
    const isSame = described !== null && (described.running === running || described.fingerprint === fingerprint)
    return { running, salt, fingerprint, configuredAt: isSame ? described!.configuredAt : Date.now() }
  }

  return async () => {
    const [running, salt] = [config(), await fingerprintSalt(store)]
    if (described?.running !== running || described.salt !== salt) {
      described = await describe(running, salt)
      announced = false
    }
    if (announced && await keepReplica(store, id, lifetimeMs)) return
    const { fingerprint, configuredAt } = described
    await announceReplica(store, { id, ...self, fingerprint, configuredAt }, lifetimeMs)
    announced = true
  }
}

interface Differences {
  see: (replicas: readonly Replica[]) => void
  trouble: () => string | null
}

function watchDifferences ({ report }: ReplicasOptions, { graceMs }: ReplicaTimes): Differences {
  let since: number | null = null
  let told = false
  let trouble: string | null = null

  function agree (of: number): void {
    if (told) report({ fact: 'replicas.agree', of })
    since = null
    told = false
    trouble = null
  }

  return {
    see (replicas) {
      const others = differing(replicas)
      if (others.length === 0) return agree(replicas.length)
      since ??= performance.now()
      if (!told && performance.now() - since < graceMs) return
      trouble = `replicas run different configurations: ${others.length} of ${replicas.length} ${others.length === 1 ? 'differs' : 'differ'} (fotor-relay status says which)`
      if (told) return
      told = true
      report({
        fact: 'replicas.differ', replicas: others.map(({ host, pid, role, fingerprint }) => ({ host, pid, role, fingerprint })), of: replicas.length
      })
    },
    trouble: () => trouble
  }
}
