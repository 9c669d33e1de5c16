/**
 * The kinds of value of a match: patterns with a `*` at the end, paths to fields,
 * and values of such fields.
 */
import { isFieldPath } from '../model/field-path.js'
import type { Reading } from './reading.js'

/** A pattern, for editors. */
export const TYPE_PATTERN = '^([^*]+[*]?|[*])$'

const MAX_CHARACTERS = 1_024
/** The same, with a limited length. */
export const VALUE_PATTERN = `^(?=.{1,${MAX_CHARACTERS}}$)([^*]+[*]?|[*])$`

/** A number of JSON: no callback can contain the other numbers of YAML. */
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** Reads a type, or the start of one and a `*`. */
export function readTypePattern (pattern: string): Reading<string> {
  if (pattern === '') return { problem: 'is empty', hint: 'write a type such as avatar, or image* for every type that starts with image' }
  if (hasInnerStar(pattern)) return { problem: 'has a * that is not at its end', hint: 'write image* for every type that starts with image' }
  return { value: pattern }
}

/** Reads a path to a field of a body. */
export function readFieldPath (path: string): Reading<string> {
  if (isFieldPath(path)) return { value: path }
  return { problem: 'is not the path of a field', hint: 'write names joined by dots, and [] for every element of a list, such as avatarResult[].templateId' }
}

/**
 * Reads the wanted value of a field, as text.
 *
 * @param written  as written in the file
 * @param type     the type that YAML has given it
 */
export function readFieldValue (written: string, type: string): Reading<string> {
  if (type === 'number' && !JSON_NUMBER.test(written)) return { problem: 'is not a number as callbacks write it', hint: 'write digits such as 1 or 0.5, or put it in quotes' }
  if (written === '') return { problem: 'is empty', hint: 'write a value, the start of one and a *, or "*" for any' }
  if (hasInnerStar(written)) return { problem: 'has a * that is not at its end', hint: 'write d69* for every value that starts with d69' }
  if (written.length > MAX_CHARACTERS) return { problem: `is longer than ${MAX_CHARACTERS} characters`, hint: 'write its start and a *' }
  return { value: written }
}

function hasInnerStar (pattern: string): boolean {
  return pattern.slice(0, -1).includes('*')
}
