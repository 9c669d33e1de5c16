/**
 * `${NAME}`, `${NAME:-default}` and `${file:/path}` inside one written text.
 *
 * Works on texts that YAML has already parsed, never on YAML itself, so that
 * no value can change the structure of the file. Inserted values are not
 * interpolated again. `$${` is a literal `${`.
 */
import type { Reading, Refusal } from './reading.js'

/** The source of values from outside. */
export interface Outside {
  env: Readonly<Record<string, string | undefined>>
  /** Reads the text of a small file. */
  readFile (path: string): Reading<string>
}

/** Why a reference has no value. */
export interface BadReference extends Refusal {
  /** An additional hint where an empty value is allowed; follows the hint. */
  orEmpty?: string
}

/** A text with all values inserted, and nothing for references without a value; `outside` says whether any value came from outside. */
export interface Interpolated {
  text: string
  outside: boolean
  problems: BadReference[]
}

const OPEN = '${'
const LITERAL = `write $${OPEN} for a literal ${OPEN}`
const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g
const NAME = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s

/** The text of a reference: `reference('NAME')` is dollar, brace, NAME, brace. */
export function reference (inner: string): string {
  return `${OPEN}${inner}}`
}

/** Whether a text contains a reference. */
export function refersOutside (text: string): boolean {
  return text.includes(OPEN)
}

/** Inserts the values of references; lists all that have none. */
export function interpolate (text: string, outside: Outside): Interpolated {
  const problems: BadReference[] = []
  let found = false
  const result = text.replace(REFERENCE, (_, inner: string | undefined, end: string | undefined) => {
    if (inner === undefined) return OPEN
    found = true
    const reading: { value: string } | BadReference = end === '' ? UNCLOSED : valueOf(inner, outside)
    if ('value' in reading) return reading.value
    problems.push(reading)
    return ''
  })
  return { text: result, outside: found, problems }
}

const UNCLOSED: Refusal = { problem: `has a ${OPEN} without its }`, hint: LITERAL }
const UNKNOWN: Refusal = {
  problem: `has a ${reference('…')} that is not understood`,
  hint: `write ${reference('NAME')}, ${reference('NAME:-default')} or ${reference('file:/path')}, not one inside another; ${LITERAL}`
}

function valueOf (inner: string, outside: Outside): { value: string } | BadReference {
  const parts = NAME.exec(inner)
  const isFile = inner.startsWith('file:')
  if ((parts === null && !isFile) || refersOutside(inner)) return UNKNOWN
  if (parts === null) return fromFile(inner.slice('file:'.length), outside)
  return fromEnvironment(parts[1]!, parts[2], outside)
}

function fromFile (path: string, outside: Outside): Reading<string> {
  if (path === '') return { problem: `has a ${reference('file:')} without a path`, hint: `write ${reference('file:/run/secrets/name')}` }
  const reading = outside.readFile(path)
  if ('problem' in reading) return { ...reading, problem: `needs the file ${path}, which ${reading.problem}` }
  const value = reading.value.replace(/[\r\n]+$/, '')
  if (value === '') return { problem: `needs the file ${path}, which is empty` }
  return { value }
}

function fromEnvironment (name: string, fallback: string | undefined, { env }: Outside): { value: string } | BadReference {
  const value = Object.hasOwn(env, name) ? env[name] : undefined
  if (value !== undefined && value !== '') return { value }
  if (fallback !== undefined) return { value: fallback }
  const orEmpty = `write ${reference(`${name}:-`)} if it may be empty`
  return value === undefined
    ? { problem: `needs the environment variable ${name}, which is not set`, hint: 'set it', orEmpty }
    : { problem: `needs the environment variable ${name}, which is empty`, hint: 'give it a value', orEmpty }
}
