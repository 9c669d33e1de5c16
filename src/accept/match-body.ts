/**
 * Whether a subscriber wants a body, outside acceptance: the same reading and the
 * same matcher, so the same answer.
 */
import type { Matcher } from '../model/matcher.js'
import { readIdentity } from './identity.js'

/**
 * @param matcher  of the one match in question
 * @returns        `null` if the body is not a callback
 * @throws         never
 */
export function matchBody (matcher: Matcher, body: Buffer): boolean | null {
  const look = matcher.begin()
  const reading = readIdentity(body, [], look)
  return reading.kind === 'readable' ? look.wantedBy(reading.identity).length > 0 : null
}
