/**
 * The log: JSON lines, one wide line per fact.
 *
 * The only place that knows pino and the only one that decides how loud a fact
 * is. A fact has no field for a secret or a body, so no line has either.
 */
import { pino, type DestinationStream, type Logger } from 'pino'
import type { Fact, Report } from '../model/fact.js'

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
  'delivery.delivered': 'info',
  'delivery.retrying': 'warn',
  'delivery.failed': 'error',
  'delivery.cut-off': 'info',
  'subscriber.held': 'warn',
  'subscriber.released': 'info',
  'queue.reconciled': 'warn',
  'queue.trouble': 'warn',
  'record.swept': 'debug',
  'replay.progress': 'info',
  'redis.state': 'warn',
  'admin.failed': 'error',
  'config.loaded': 'info',
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
    formatters: { level: (label: string) => ({ level: label }) }
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}

/** Turns facts into log lines; `msg` is the fact's name. */
export function reportTo (logger: Logger): Report {
  return ({ fact, ...details }) => { logger[levelOf(fact, details)](details, fact) }
}

/** The same fact can be news or routine: Redis coming back is no warning. */
function levelOf (fact: Fact['fact'], details: object): Level {
  if (fact === 'redis.state' && 'state' in details && details.state === 'ready') return 'info'
  return LEVELS[fact]
}
