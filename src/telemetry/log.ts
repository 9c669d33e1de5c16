/**
 * The log: JSON lines, one line per fact.
 *
 * Only this file knows pino, and only this file decides the level of a fact. A
 * fact has no field for a secret or a body, so no line has one either.
 */
import { pino, type DestinationStream, type Logger } from 'pino'
import type { Fact, Report } from '../model/fact.js'
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
  'delivery.cut-off': 'info',
  'subscriber.held': 'warn',
  'subscriber.released': 'info',
  'subscriber.breaker': 'warn',
  'queue.reconciled': 'warn',
  'queue.worker-replaced': 'error',
  'queue.trouble': 'warn',
  'record.swept': 'debug',
  'record.deleted-early': 'warn',
  'record.claims-given-up': 'error',
  'replay.progress': 'info',
  'discard.progress': 'info',
  'redis.state': 'warn',
  'redis.loading': 'info',
  'redis.memory': 'error',
  'alert.raised': 'warn',
  'alert.reminder': 'warn',
  'alert.resolved': 'info',
  'alert.receiver': 'error',
  'alert.trouble': 'error',
  'admin.failed': 'error',
  'config.loaded': 'info',
  'replicas.differ': 'warn',
  'replicas.agree': 'info',
  'config.refused': 'error'
}

/**
 * Makes the logger.
 *
 * @param level        the lowest level that is written: `trace` to `fatal`, or `silent`
 * @param destination  default: standard output
 */
export function createLogger ({ level, destination }: { level: string, destination?: LogDestination | undefined }): Logger {
  const options = {
    level,
    base: { pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    // Only the describing fields of an error: drivers attach commands to theirs, with keys and bodies.
    serializers: { err: describeError },
    formatters: { level: (label: string) => ({ level: label }) }
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

/** Turns facts into log lines; `msg` is the name of the fact. */
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

/** The level of a fact can depend on its content: Redis coming back is not a warning, and an evicted event that could be replayed is an error. */
function levelOf (told: Fact): Level {
  if (told.fact === 'redis.state' && told.state === 'ready') return 'info'
  if (told.fact === 'redis.memory' && told.state === 'enough') return 'info'
  if (told.fact === 'alert.raised' && told.severity === 'critical') return 'error'
  if (told.fact === 'alert.receiver' && told.state === 'takes') return 'info'
  if (told.fact === 'record.deleted-early' && told.failed > 0) return 'error'
  return LEVELS[told.fact]
}
