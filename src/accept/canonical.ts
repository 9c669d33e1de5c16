/**
 * Writes JSON so that equal contents have equal texts.
 *
 * Order of names, white space and escapes make no difference; everything else
 * does. Numbers keep their source text, because most parsers take
 * 12345678901234567890 and …891 for the same number, but their senders do not. An
 * object with a duplicate name has no agreed meaning, so it is compared by its
 * bytes.
 *
 * Different contents never share a canonical text: it is JSON itself, it has
 * duplicate names only where an object was copied unchanged, and
 * `JSON.stringify` writes the strings, which keeps lone surrogates apart.
 */
import type { FieldTree } from '../model/field-path.js'
import type { FieldReading } from '../model/matcher.js'
import type { JsonScanner } from './json-scan.js'

/** Depth of nested objects and arrays; the outermost counts as 1. */
export const MAX_DEPTH = 64

const QUOTE = 0x22
const COMMA = 0x2c
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const LOWER_F = 0x66
const LOWER_N = 0x6e
const LOWER_T = 0x74
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** One `name: value` of an object. */
export interface Member {
  /** Decoded. */
  name: string
  /** Its canonical text, from name to value. */
  canonical: string
  /** Its canonical value. */
  value: string
  /** Its source text, from name to value. */
  start: number
  end: number
}

/** One pass over a text. */
interface Pass {
  scanner: JsonScanner
  look: FieldReading
}

/**
 * Reads the object that is the whole text.
 *
 * @param look  receives, in the same pass, the values at the ends of its paths: texts,
 *              numbers, true and false; they mean nothing after an error
 * @returns     its members in order of appearance
 * @throws      MalformedJson if it is not JSON, not an object or too deep
 */
export function readObject (scanner: JsonScanner, look: FieldReading = NOWHERE): Member[] {
  const pass = { scanner, look }
  if (scanner.peek() !== OPEN_BRACE) {
    readValue(pass, 0, null) // reports malformed JSON before "not an object"
    scanner.end()
    scanner.at = 0
    scanner.fail('a value that is not an object')
  }
  const members = readMembers(pass, 1, look.tree)
  scanner.end()
  return members
}

const NOWHERE: FieldReading = { tree: null, found () {} }

/**
 * The canonical text of an object.
 *
 * @param members   in any order
 * @param verbatim  returns the text to write instead if a name occurs twice
 */
export function writeObject (members: readonly Member[], verbatim: () => string): string {
  const sorted = isSorted(members) ? members : [...members].sort(byName)
  if (repeats(sorted)) return verbatim()
  let text = '{'
  for (const member of sorted) text += (text.length === 1 ? '' : ',') + member.canonical
  return text + '}'
}

/** The string that a canonical value represents; `null` if it is not a string. */
export function readText (value: string): string | null {
  if (value.charCodeAt(0) !== QUOTE) return null
  return value.includes('\\') ? JSON.parse(value) as string : value.slice(1, -1)
}

/** Reads any value. `depth` is the number of objects and arrays around it, `ahead` the paths to look for in it. */
function readValue (pass: Pass, depth: number, ahead: FieldTree | null): string {
  const { scanner } = pass
  const code = scanner.peek()
  if (code === OPEN_BRACE) return readNested(pass, depth + 1, ahead)
  if (code === OPEN_BRACKET) return readArray(pass, depth + 1, ahead?.each ?? null)
  const value = readSingle(scanner, code)
  if (ahead !== null && ahead.end !== null && code !== LOWER_N) pass.look.found(ahead.end, readText(value) ?? value)
  return value
}

/** A value that is neither object nor array. */
function readSingle (scanner: JsonScanner, code: number): string {
  switch (code) {
    case QUOTE: return readString(scanner)
    case LOWER_T: return scanner.literal('true')
    case LOWER_F: return scanner.literal('false')
    case LOWER_N: return scanner.literal('null')
    default:
      if (code === MINUS || (code >= ZERO && code <= NINE)) return scanner.number()
      scanner.fail('no value where there should be one')
  }
}

/** A string without a backslash is already canonical. */
function readString (scanner: JsonScanner): string {
  const source = scanner.string()
  return scanner.escaped ? JSON.stringify(scanner.decode(source)) : source
}

function readNested (pass: Pass, depth: number, ahead: FieldTree | null): string {
  const { scanner } = pass
  const start = scanner.at
  const members = readMembers(pass, depth, ahead)
  return writeObject(members, () => scanner.text.slice(start, scanner.at))
}

function readMembers (pass: Pass, depth: number, ahead: FieldTree | null): Member[] {
  const { scanner } = pass
  if (depth > MAX_DEPTH) scanner.fail(`more than ${MAX_DEPTH} objects and arrays within one another`)
  scanner.at++ // the brace
  const members: Member[] = []
  if (scanner.take(CLOSE_BRACE)) return members
  do {
    scanner.peek()
    const start = scanner.at
    const source = scanner.string()
    const escaped = scanner.escaped
    const name = escaped ? scanner.decode(source) : source.slice(1, -1)
    if (!scanner.take(COLON)) scanner.fail('no colon after a name')
    const value = readValue(pass, depth, ahead === null ? null : ahead.names.get(name) ?? null)
    const canonical = (escaped ? JSON.stringify(name) : source) + ':' + value
    members.push({ name, canonical, value, start, end: scanner.at })
  } while (scanner.take(COMMA))
  if (!scanner.take(CLOSE_BRACE)) scanner.fail('an object that does not go on or end')
  return members
}

function readArray (pass: Pass, depth: number, ahead: FieldTree | null): string {
  const { scanner } = pass
  if (depth > MAX_DEPTH) scanner.fail(`more than ${MAX_DEPTH} objects and arrays within one another`)
  scanner.at++ // the bracket
  if (scanner.take(CLOSE_BRACKET)) return '[]'
  const values: string[] = []
  do values.push(readValue(pass, depth, ahead))
  while (scanner.take(COMMA))
  if (!scanner.take(CLOSE_BRACKET)) scanner.fail('an array that does not go on or end')
  return `[${values.join()}]`
}

function byName (a: Member, b: Member): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}

function isSorted (members: readonly Member[]): boolean {
  for (let i = 1; i < members.length; i++) {
    if (members[i - 1]!.name > members[i]!.name) return false
  }
  return true
}

/** @param sorted  by name, so that duplicates are neighbours */
function repeats (sorted: readonly Member[]): boolean {
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i - 1]!.name === sorted[i]!.name) return true
  }
  return false
}
