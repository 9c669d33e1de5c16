/**
 * Reads one single value by its entry in the schema.
 */
import { closest } from '../model/closest.js'
import { READERS } from './kinds.js'
import type { Outside } from './interpolate.js'
import type { Reading, Refusal } from './reading.js'
import type { Shape } from './shape.js'

/** A value of the file after interpolation. */
export interface GivenValue {
  value: string | number | boolean
  /** A number as written in the file. */
  digits?: string | undefined
  /** Whether any part came from outside; then a text may be a number. */
  outside: boolean
}

/** The value, or why it is invalid; never shows it. */
export function readValue (shape: Shape, given: GivenValue, outside: Outside): Reading<unknown> {
  if (shape.enum !== undefined) return readChoice(shape.enum, given)
  if (shape.type === 'boolean') return readFlag(given)
  if (shape.type === 'integer' || shape.type === 'number') return readNumber(shape, given)
  const reading = READERS[shape.kind ?? 'text'](given.value, outside, given.digits)
  return ('value' in reading ? boundsOf(shape, reading.value) : undefined) ?? reading
}

function readChoice (words: readonly string[], { value }: GivenValue): Reading<string> {
  if (typeof value === 'string' && words.includes(value)) return { value }
  const meant = closest(String(value), words)
  const problem = `must be ${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
  return meant === undefined ? { problem } : { problem, hint: `did you mean ${meant}?` }
}

function readFlag ({ value, outside }: GivenValue): Reading<boolean> {
  if (typeof value === 'boolean') return { value }
  if (outside && (value === 'true' || value === 'false')) return { value: value === 'true' }
  return { problem: 'must be true or false' }
}

function readNumber (shape: Shape, { value, outside }: GivenValue): Reading<number> {
  const isText = typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)
  if (isText && !outside) return { problem: 'is a text, not a number', hint: 'leave out the quotes' }
  const number = isText ? Number(value) : value
  const whole = shape.type === 'integer'
  const isRight = typeof number === 'number' && (whole ? Number.isSafeInteger(number) : Number.isFinite(number))
  if (!isRight) return { problem: `is not a ${whole ? 'whole ' : ''}number` }
  if (shape.minimum !== undefined && number < shape.minimum) return { problem: `must be at least ${shape.minimum}` }
  if (shape.maximum !== undefined && number > shape.maximum) return { problem: `must be at most ${shape.maximum}` }
  return { value: number }
}

/** Bounds of a duration or a size, as the schema writes them. */
function boundsOf ({ kind, least, most }: Shape, value: unknown): Refusal | undefined {
  if (kind !== 'duration' && kind !== 'size') return undefined
  const beyond = (bound: string | undefined, isBeyond: (by: number) => boolean): boolean => {
    const limit = bound === undefined ? undefined : READERS[kind](bound, NOWHERE)
    return limit !== undefined && 'value' in limit && isBeyond(limit.value)
  }
  if (beyond(least, limit => Number(value) < limit)) return { problem: `must be at least ${least}` }
  if (beyond(most, limit => Number(value) > limit)) return { problem: `must be at most ${most}` }
  return undefined
}

const NOWHERE: Outside = { env: {}, readFile: () => ({ problem: 'does not exist' }) }
