/**
 * The log: JSON lines, one wide line per fact.
 *
 * The only place that knows pino and the only one that decides how loud a fact
 * is. A fact has no field for a secret or a body, so no line has either. What
 * strangers wrote into a line is seen as what it is: nothing in it is invisible.
 */
import { pino, type DestinationStream, type Logger } from 'pino'
import type { Fact, Report } from '../model/fact.js'
import { showInvisible } from '../model/invisible.js'
import { limitLines } from './line-limit.js'

export type { Logger } from 'pino'

/** Where lines go: anything with `write(line)`. */
export type LogDestination = DestinationStream

type Level = 'debug' | 'info' | 'warn' | 'error'

const LEVELS: Readonly<Record<Fact['fact'], Level>> = {
  'callback.refused': 'info',
  'callback.unlisted': 'warn',
  'callback.proxy-untrusted': 'warn',
  'event.accepted': 'info',
  'event.duplicate': 'info',
  'accept.unavailable': 'error',
  'spool.began': 'warn',
  'spool.ended': 'info',
  'spool.drained': 'info',
  'spool.full': 'error',
  'spool.trouble': 'error',
  'spool.mended': 'info',
  'spool.torn': 'warn',
  'spool.damaged': 'error',
  'spool.set-aside': 'error',
  'spool.postponed': 'warn',
  'spool.found': 'info',
  'spool.left': 'warn',
  'delivery.delivered': 'info',
  'delivery.retrying': 'warn',
  'delivery.failed': 'error',
  'delivery.corrupt': 'error',
  'backlog.failed': 'error',
  'delivery.cut-off': 'info',
  'subscriber.held': 'warn',
  'subscriber.released': 'info',
  'subscriber.forgotten': 'info',
  'subscriber.breaker': 'warn',
  'queue.reconciled': 'warn',
  'queue.worker-replaced': 'error',
  'queue.trouble': 'warn',
  'record.swept': 'debug',
  'record.corrupt': 'error',
  'record.deleted-early': 'warn',
  'record.claims-given-up': 'error',
  'replay.progress': 'info',
  'discard.progress': 'info',
  'release.progress': 'info',
  'purge.progress': 'info',
  'redis.state': 'warn',
  'redis.loading': 'info',
  'redis.memory': 'error',
  'alert.raised': 'warn',
  'alert.reminder': 'warn',
  'alert.resolved': 'info',
  'alert.receiver': 'error',
  'alert.trouble': 'error',
  'admin.failed': 'error',
  'admin.refused': 'info',
  'config.loaded': 'info',
  'replicas.differ': 'warn',
  'replicas.agree': 'info',
  'config.refused': 'error'
}

/**
 * Makes the logger.
 *
 * @param level        the quietest level written: `trace` to `fatal`, or `silent`
 * @param destination  standard output when left out
 */
export function createLogger ({ level, destination }: { level: string, destination?: LogDestination | undefined }): Logger {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    // Of an error only what says what happened: drivers hang commands on theirs, with keys and bodies in them.
    serializers: { err: describeError },
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: { streamWrite: showInvisible }
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

/** Turns facts into log lines; `msg` is the fact's name. */
export function reportTo (logger: Logger): Report {
  const limit = limitLines()
  return told => {
    const { fact, ...details } = told
    const unwritten = limit.admit(told)
    if (unwritten === null) logger.debug(details, fact)
    else logger[levelOf(told)](unwritten === 0 ? details : { ...details, unwritten }, fact)
  }
}

function describeError (error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) }
  const { name, message, stack } = error
  return { name, message, ...('code' in error ? { code: error.code } : {}), stack }
}

/** The same fact can be news or routine: Redis coming back is no warning, and what can be replayed no more is worse than one. */
function levelOf (told: Fact): Level {
  if (told.fact === 'redis.state' && told.state === 'ready') return 'info'
  if (told.fact === 'redis.memory' && told.state === 'enough') return 'info'
  if (told.fact === 'alert.raised' && told.severity === 'critical') return 'error'
  if (told.fact === 'alert.receiver' && told.state === 'takes') return 'info'
  if (told.fact === 'admin.refused' && told.why !== 'no-token' && told.why !== 'viewer') return 'warn'
  if (told.fact === 'record.deleted-early' && told.failed > 0) return 'error'
  return LEVELS[told.fact]
}
