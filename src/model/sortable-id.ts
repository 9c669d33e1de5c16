/**
 * Ids for things that we make: unique without coordination, and sorted by the
 * time of their making. The layout is that of ULID.
 *
 *   48 bits of time │ 80 random bits   →   10 + 16 characters
 *
 * An id never contains text that a user chose.
 */
import { randomBytes } from 'node:crypto'

/** Crockford's base32: no I, L, O or U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const TIME_CHARACTERS = 10
const RANDOM_BYTES = 10
const LATEST_MS = 2 ** 48 - 1

/** One call for random bytes serves this many ids, because the call costs more than the bytes. */
const POOLED_IDS = 512
let pool = Buffer.alloc(0)
let used = 0

/** The last time and its text: many ids share a millisecond. */
let lastMs = -1
let lastTime = ''

/**
 * Makes an id.
 *
 * @param nowMs  epoch milliseconds, 0 to 2^48 - 1; a fraction is cut off
 * @returns      26 characters of `0-9A-Z` without I, L, O, U. Ids of different
 *               milliseconds sort by time, bytewise; those of one millisecond
 *               do not sort among themselves
 * @throws       RangeError when the time does not fit
 * @see          https://github.com/ulid/spec
 */
export function sortableId (nowMs: number): string {
  const ms = Math.trunc(nowMs)
  if (ms !== lastMs) {
    lastTime = encodeTime(ms)
    lastMs = ms
  }
  return lastTime + encodeRandom()
}

function encodeTime (ms: number): string {
  if (!(ms >= 0 && ms <= LATEST_MS)) throw new RangeError(`Not a time that fits an id: ${ms}`)
  let text = ''
  let rest = ms
  for (let i = 0; i < TIME_CHARACTERS; i++) {
    text = ALPHABET[rest % 32]! + text
    rest = Math.floor(rest / 32)
  }
  return text
}

/** Ten bytes of the pool as sixteen characters, five bits each. */
function encodeRandom (): string {
  if (used >= pool.length) {
    pool = randomBytes(POOLED_IDS * RANDOM_BYTES)
    used = 0
  }
  let text = ''
  for (let half = 0; half < 2; half++) {
    const high = pool.readUInt32BE(used)
    const low = pool[used + 4]!
    // 40 bits: 32 of `high`, then 8 of `low`
    for (let shift = 27; shift >= 2; shift -= 5) text += ALPHABET[(high >>> shift) & 31]
    text += ALPHABET[((high & 3) << 3) | (low >>> 5)]
    text += ALPHABET[low & 31]
    used += 5
  }
  return text
}
