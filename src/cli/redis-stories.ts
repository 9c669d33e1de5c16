/**
 * Says on standard error when Redis is lost and found while a command works
 * with it: the command waits, and whoever watches should know for what.
 */
import type { Report } from '../model/fact.js'
import { plainText } from './plain-text.js'
import type { Terminal } from './terminal.js'

/** A listener for facts that hears of Redis alone. */
export function redisStories (terminal: Terminal): Report {
  let isLost = false
  return fact => {
    if (fact.fact !== 'redis.state') return
    const lost = fact.state === 'lost'
    if (lost !== isLost) terminal.error(lost ? `Redis is away, waiting for it: ${plainText(fact.detail ?? '')}` : 'Redis is back.')
    isLost = lost
  }
}
