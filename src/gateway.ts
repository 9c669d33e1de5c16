/**
 * The composition root: only here are all parts put together.
 *
 *   configuration ─▶ Redis ─▶ journey (accept, queue, deliver, record) ─▶ spool ─▶ alerts ─▶ admin listener ─▶ public endpoint
 *
 * A flat list, started in this order and stopped in reverse. Only then is Redis
 * waited for: the public endpoint takes callbacks before, into the spool, and
 * closes first. A start that fails half-way stops what it had started.
 */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import type { Spooling } from './accept/spool/spooling.js'
import { matchBody } from './accept/match-body.js'
import { toldOf, type Alerts } from './alerts/alerts.js'
import { createGuesses, type Guesses } from './conditions/guess-counts.js'
import { createRefusals, type Refusals } from './conditions/refusal-counts.js'
import { createRemovedSubscribers } from './conditions/removed-subscribers.js'
import { createSnapshots, type HealthSnapshot } from './conditions/snapshot.js'
import type { Config } from './config/config.js'
import { formatFault } from './config/fault.js'
import { loadConfig } from './config/load.js'
import { createReloader, type ReloadResult, type Reloader } from './config/reload.js'
import { warnings } from './config/warnings.js'
import { openAlerts } from './gateway/alerts.js'
import { createAlignment } from './gateway/alignment.js'
import { openAdmin, openIngest } from './gateway/faces.js'
import { createHealth } from './gateway/health.js'
import { openJourney, type Journey } from './gateway/journey.js'
import { reloadEverywhere } from './gateway/reload-everywhere.js'
import { joinReplicas, type Replicas } from './gateway/replicas.js'
import { openSpool, spoolDirOf } from './gateway/spool.js'
import { openStorage, type Storage } from './gateway/storage.js'
import { createStopping, type Stopping } from './gateway/stopping.js'
import { createTeardown, type Teardown } from './gateway/teardown.js'
import { RelayError } from './model/errors.js'
import type { Report } from './model/fact.js'
import { createMatcher } from './model/matcher.js'
import type { Role } from './model/replica.js'
import { createQuarantineStore } from './quarantine/store.js'
import { readSubscribers } from './record/read-subscribers.js'
import { createLogger, openLog, reportTo, type LogDestination, type Logger } from './telemetry/log.js'
import { unlessAborted, within } from './time/within.js'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

export interface GatewayOptions {
  configFile: string
  env: NodeJS.ProcessEnv
  /** Default: all. */
  role?: Role
  /** Merged over the configuration at the start and at each reload. */
  overrides?: (config: Config) => Config
  /** Where the log goes; default standard output. */
  log?: LogDestination
  /** When aborted, the start is cancelled as soon as possible, and started parts are stopped. */
  signal?: AbortSignal
}

export interface Gateway {
  /** Base URLs with the actual ports; `ingest` is empty in the role `deliver`. */
  addresses: { ingest: string, admin: string }
  /** The path of the public endpoint; may contain a secret segment. */
  ingestPath: string
  /** Reads the configuration again. Never rejects. */
  reload: () => Promise<ReloadResult>
  /** Accepts for `shutdownDelay` longer, lets attempts in flight finish or gives their jobs back, and loses nothing. */
  stop: () => Promise<void>
}

/**
 * Starts a gateway.
 *
 * @throws RelayError CONFIG_INVALID (`details.faults` lists them), LISTEN_FAILED, or an error of Redis; the reason of the signal
 */
export async function startGateway (options: GatewayOptions): Promise<Gateway> {
  const ground = await layGround(options)
  try {
    return await assemble(options, ground)
  } catch (error) {
    ground.stopping.begin(ground.config().shutdownGraceMs)
    await ground.teardown.run()
    throw error
  }
}

/** From the opening of the listeners; a Redis that is there has been checked by then, milliseconds. */
const LATE_MS = 2_000

/** What every part needs. */
interface Ground {
  /** As read at the start. */
  initial: Config
  /** The running configuration. */
  config: () => Config
  /** Replaces the running configuration. */
  use: (config: Config) => void
  /** Calls `listener` after each change. */
  onChange: (listener: () => void) => void
  role: Role
  version: string
  /** Epoch milliseconds. */
  startedAt: number
  log: LogDestination
  logger: Logger
  report: Report
  /** These see every fact. */
  refusals: Refusals
  guesses: Guesses
  teardown: Teardown
  stopping: Stopping
}

async function layGround ({ configFile, env, role = 'all', overrides = config => config, log = openLog() }: GatewayOptions): Promise<Ground> {
  const initial = await readConfig(configFile, env)
  let running = overrides(initial)
  const listeners: Array<() => void> = []
  const stopping = createStopping()
  const logger = createLogger({ level: running.log.level, destination: log })
  for (const warning of warnings(running)) logger.warn(warning)
  const write = reportTo(logger)
  const refusals = createRefusals()
  const guesses = createGuesses()
  return {
    initial,
    config: () => running,
    use (config) {
      running = overrides(config)
      logger.level = running.log.level
      for (const listener of listeners) listener()
    },
    onChange (listener) { listeners.push(listener) },
    role,
    version,
    startedAt: Date.now(),
    log,
    logger,
    report (fact) {
      refusals.see(fact)
      guesses.see(fact)
      write(fact)
    },
    refusals,
    guesses,
    teardown: createTeardown(logger, stopping.leftMs),
    stopping
  }
}

async function assemble ({ configFile, env, signal = new AbortController().signal }: GatewayOptions, ground: Ground): Promise<Gateway> {
  const { config, logger, report, teardown } = ground
  const storage = await openStorage({ ...ground, config: config(), spoolDir: spoolDirOf(config(), ground.role), env, signal })
  const replicas = openReplicas(ground, storage)
  const journey = openJourney({ ...ground, storage })
  const alignment = createAlignment(journey.align, logger)
  teardown.push('check of redis', storage.check.stop)
  teardown.push('alignment', alignment.stop)

  const removed = createRemovedSubscribers(report)
  const reloader = openReloader({ configFile, env }, ground, { storage, alignment, removed })
  const spool = await openSpool({ ...ground, accept: journey.accept, storage })
  let open = false
  const snapshot = createSnapshots({
    store: storage.failFast,
    probe: storage.probe,
    lostConnections: journey.lostConnections,
    spool,
    log: () => ground.log.status?.() ?? { problem: null, dropped: 0 },
    refusedFaults: () => reloader.lastFaults().length,
    replicasTrouble: replicas.trouble,
    refusals: ground.refusals.counts,
    misdirected: ground.refusals.misdirected,
    guesses: ground.guesses.count,
    removed: removed.recent
  })
  const alerts = openAlerts({ ...ground, store: storage.failFast, snapshot, open: () => open, replicas })
  const behind = { storage, journey, spool, reloader, configFile, replicas, snapshot, alerts, open: () => open }
  const admin = await openAdminFace(ground, behind)
  const ingest = ground.role === 'deliver' ? '' : await openIngestFace(ground, behind)
  // Callbacks are taken from now on; a probe is told so when Redis has been checked, or is known to be late.
  const checked = storage.check.done()
  await within(LATE_MS, checked, () => {})
  open = true
  const isThere = await checked
  const aligned = alignment.align()
  if (isThere) await unlessAborted(signal, aligned)
  else spool?.beginAway()
  replicas.start()
  alerts.start()
  logger.info({ version, ingest, admin, role: ground.role }, 'gateway is open')
  return {
    addresses: { ingest, admin },
    ingestPath: config().ingest.path,
    reload: reloader.reload,
    stop: async () => { await stop(ground) }
  }
}

interface Reloaded { storage: Storage, alignment: ReturnType<typeof createAlignment>, removed: ReturnType<typeof createRemovedSubscribers> }

function openReloader ({ configFile, env }: Pick<GatewayOptions, 'configFile' | 'env'>, { initial, config, use, report }: Ground, { storage, alignment, removed }: Reloaded): Reloader {
  return createReloader({
    file: configFile,
    env,
    initial,
    report,
    async waitingFor (names) {
      const listed = await readSubscribers(storage.failFast)
      return listed.filter(({ name, counts }) => names.includes(name) && counts.open + counts.held > 0).map(({ name }) => name)
    },
    async apply (next, { allowRemovals = false }) {
      removed.see(config(), next, allowRemovals)
      use(next)
      await alignment.align()
    }
  })
}

/** Until the gateway is open it is not among the replicas; it stays among them for as long as anything of it runs. */
function openReplicas ({ role, version, startedAt, config, onChange, report, logger, teardown }: Ground, storage: Storage): Replicas {
  const self = { host: hostname(), pid: process.pid, role, version, startedAt }
  const replicas = joinReplicas({ store: storage.failFast, self, config, report, logger })
  onChange(replicas.wake)
  teardown.push('replica', replicas.leave)
  return replicas
}

interface Parts {
  storage: Storage
  journey: Journey
  spool: Spooling | null
  reloader: Reloader
  configFile: string
  replicas: Replicas
  snapshot: () => Promise<HealthSnapshot>
  alerts: Alerts
  /** Whether every listener is open. */
  open: () => boolean
}

async function openAdminFace (ground: Ground, { storage, journey, spool, reloader, configFile, replicas, snapshot, alerts, open }: Parts): Promise<string> {
  const { version, startedAt } = ground
  return await openAdmin({
    ...ground,
    store: storage.failFast,
    queues: journey.queues,
    accept: journey.accept,
    wants: (match, body) => matchBody(createMatcher([match]), body),
    reload: reloadEverywhere({ storage, reloader, logger: ground.logger }),
    wakeReplays: journey.wakeReplays,
    health: createHealth({ snapshot, open, stopping: ground.stopping.yet }),
    alerts: { ...alerts, toldOf },
    spool: () => spool?.status() ?? null,
    process: () => ({ version, startedAt, pid: process.pid, redis: storage.kind, configFile, replicaId: replicas.id })
  })
}

async function openIngestFace (ground: Ground, { storage: { connections, failFast }, journey, spool }: Parts): Promise<string> {
  const quarantine = createQuarantineStore({
    redis: connections.failFast, keys: failFast.keys, retentionMs: () => ground.config().retention.quarantineMs
  })
  return await openIngest({
    ...ground,
    accept: spool?.accept ?? journey.accept,
    quarantine (refused) {
      quarantine.store(refused).catch((error: unknown) => { ground.logger.warn({ err: error }, 'a refused callback could not be stored in the quarantine') })
    },
    rateLimitRedis: { redis: connections.failFast, keyPrefix: failFast.keys.rateLimit, isAway: () => spool?.isRedisAway() ?? false }
  })
}

async function stop ({ stopping, config, logger, teardown }: Ground): Promise<void> {
  if (!stopping.yet()) {
    stopping.announce()
    const { shutdownDelayMs: delayMs, shutdownGraceMs: graceMs } = config()
    logger.info({ delayMs, graceMs }, 'gateway is stopping')
    await wait(delayMs)
    stopping.begin(graceMs)
  }
  await teardown.run()
  logger.info('gateway has stopped')
}

async function readConfig (file: string, env: NodeJS.ProcessEnv): Promise<Config> {
  const loaded = await loadConfig({ file, env })
  if ('config' in loaded) return loaded.config
  const { faults } = loaded
  throw new RelayError('CONFIG_INVALID', faults.map(fault => formatFault(fault, file)).join('\n'), { faults, file })
}
