/**
 * How the set-up ends early: with a sentence that has a next step in it, and
 * without a stack. Everything is said on standard error, since what the tests
 * print on the other is counted.
 */

/** Somebody must install something first, and knows now what. */
export const INSTALL_FIRST = 2
/** It tried, and failed. */
export const FAILED = 1

export class Stop extends Error {
  /** @param code  what the process ends with */
  constructor (sentence, code) {
    super(sentence)
    this.code = code
  }
}

export function say (sentence) {
  process.stderr.write(`setup: ${sentence}\n`)
}

const NO_SPACE = ['ENOSPC', 'EDQUOT']
const NOT_ALLOWED = ['EACCES', 'EPERM', 'EROFS']

/**
 * What it means that a file could not be written.
 *
 * @param code   as the system says it: `ENOSPC`
 * @param place  where
 * @returns      `undefined` for a code that is about something else
 */
export function stopForFile (code, place) {
  if (NO_SPACE.includes(code)) return new Stop(`the disk is full (${code}) at ${place}: make room, half a gigabyte is enough, and run this again`, FAILED)
  if (NOT_ALLOWED.includes(code)) return new Stop(`${place} may not be written (${code}): make it yours (chown) or clone to a folder that is, and run this again`, FAILED)
  return undefined
}
