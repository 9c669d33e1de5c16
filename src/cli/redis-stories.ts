/**
 * Reports on standard error that Redis is away, and that it is back, while a
 * command uses it. The command waits, and the person at the terminal should know why.
 */
import type { Report } from '../model/fact.js'
import { plainText } from './plain-text.js'
import type { Terminal } from './terminal.js'

/** Takes facts, and reacts to those about Redis only. */
export function redisStories (terminal: Terminal): Report {
  let isLost = false
  return fact => {
    if (fact.fact !== 'redis.state') return
    const lost = fact.state === 'lost'
    if (lost !== isLost) terminal.error(lost ? `Redis is away, waiting for it: ${plainText(fact.detail ?? '')}` : 'Redis is back.')
    isLost = lost
  }
}
