/**
 * Reads what must stay secret: signing secrets, admin tokens and the values of
 * headers. Nothing here ever says what it was given.
 */
import { validateHeaderValue } from 'node:http'
import type { Reading } from './reading.js'

const PREFIX = 'whsec_'

/**
 * Standard Webhooks wants 24 to 64 bytes of key; 16 are let in, because
 * secrets of that length are about and still beyond guessing.
 */
const LEAST_BYTES = 16
const MOST_BYTES = 64

/** Reads a Standard Webhooks secret: `whsec_` and 16 to 64 bytes in base64. */
export function readSecret (written: string): Reading<string> {
  const hint = 'make one with: echo "whsec_$(openssl rand -base64 32)"'
  if (written === '') return { problem: 'is empty', hint }
  if (!written.startsWith(PREFIX)) return { problem: 'does not start with whsec_', hint }
  const base64 = written.slice(PREFIX.length)
  const key = Buffer.from(base64, 'base64')
  if (key.toString('base64') !== base64) return { problem: 'is not base64 after whsec_', hint }
  if (key.length < LEAST_BYTES) return { problem: `has a key shorter than ${LEAST_BYTES} bytes`, hint }
  if (key.length > MOST_BYTES) return { problem: `has a key longer than ${MOST_BYTES} bytes`, hint }
  return { value: written }
}

/** Characters of a token that nobody guesses over a network, and of one that nobody need think about. */
export const TOKEN_BOUNDS = { least: 16, good: 32 } as const

/** What to do about a token that is none, or too short. */
export const TOKEN_HINT = 'make one with: openssl rand -hex 32'

/** Reads a bearer token: what an Authorization header can carry. Its length matters only where strangers can try some. */
export function readToken (written: string): Reading<string> {
  const hint = TOKEN_HINT
  if (written.trim() === '') return { problem: 'is empty', hint }
  if (!/^[\x21-\x7e]{1,1024}$/.test(written)) return { problem: 'is not a token', hint: `no spaces, ASCII only, at most 1024 characters; ${hint}` }
  return { value: written }
}

/** Reads the value of a header. */
export function readHeaderValue (written: string): Reading<string> {
  if (written.trim() === '') return { problem: 'is empty' }
  try {
    validateHeaderValue('value', written)
  } catch {
    return { problem: 'has characters that are not allowed in a header', hint: 'no line breaks, no control characters, no characters beyond Latin-1' }
  }
  return { value: written }
}
