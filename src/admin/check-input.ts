/**
 * Checks a query or a body against the schema of its route.
 *
 * Reports all errors at once, up to 20 names, with the accepted values: the
 * `description` of a property completes the sentence "<name> takes …". A name
 * that the route does not know is refused, because ignoring a mistyped filter
 * would do the opposite of what was meant. Never shows a value.
 */
import { Ajv, type ErrorObject } from 'ajv'
import type { TObject } from 'typebox'
import { RelayError } from '../model/errors.js'
import { didYouMean } from './did-you-mean.js'

/** One error of a request. */
export interface InputError {
  /** The parameter or field. */
  name: string
  /** The error, a sentence. */
  problem: string
}

/** The form that Fastify requires of a validator. */
export type InputCheck = (data: unknown) => { value: unknown } | { error: Error }

/** Maximum number of explained errors: a hint costs time, and with more errors the document helps more. */
const MOST_EXPLAINED = 20

/** In a query everything is text, so numbers and booleans are read from text; a body has types. */
const QUERY = new Ajv({ allErrors: true, coerceTypes: true })
const BODY = new Ajv({ allErrors: true })

/** Makes the check for one route; throws at start if the schema is invalid. */
export function checkFor (schema: TObject, part: 'query' | 'body'): InputCheck {
  const isValid = (part === 'query' ? QUERY : BODY).compile({ ...schema, additionalProperties: false })
  return data => {
    const value = data ?? {}
    if (!isValid(value)) return { error: refusalOf(isValid.errors ?? [], schema, part) }
    const endless = endlessIn(value)
    return endless.length === 0 ? { value } : { error: invalid(endless.map(name => unusable(name, takenBy(schema, name)))) }
  }
}

/** Numbers that a query wrote as `1e999`: read from text they pass as integers, and no bound is checked. */
function endlessIn (value: object): string[] {
  return Object.entries(value).filter(([, read]) => typeof read === 'number' && !Number.isFinite(read)).map(([name]) => name)
}

/**
 * The error for an invalid request; also for errors that no schema can find.
 *
 * @param more  how many more names have errors
 */
export function invalid (errors: readonly InputError[], more = 0): RelayError {
  const rest = more === 0 ? [] : [`And ${more} more.`]
  return new RelayError('INVALID_REQUEST', [...errors.map(({ problem }) => problem), ...rest].join(' '), { errors })
}

/** The last error of each name, for the first names only. */
function refusalOf (errors: readonly ErrorObject[], schema: TObject, part: 'query' | 'body'): RelayError {
  const byName = [...new Map(errors.map(error => [nameIn(error, part), error]))]
  const explained = byName.slice(0, MOST_EXPLAINED).map(([name, error]) => ({ name, problem: explain(name, error, { schema, part }) }))
  return invalid(explained, byName.length - explained.length)
}

/** The parameter or field that an error concerns; `part` if it concerns the whole. */
function nameIn ({ keyword, params, instancePath }: ErrorObject, part: string): string {
  if (instancePath !== '') return instancePath.split('/', 2)[1]!
  if (keyword === 'additionalProperties') return String(params['additionalProperty'])
  return keyword === 'required' ? String(params['missingProperty']) : part
}

/** The sentence about a known name with an unusable value. */
export function unusable (name: string, takes: string): InputError {
  return { name, problem: `${name} takes ${takes}.` }
}

function explain (name: string, { keyword, instancePath }: ErrorObject, { schema, part }: { schema: TObject, part: 'query' | 'body' }): string {
  if (instancePath !== '') return unusable(name, takenBy(schema, name)).problem
  if (keyword === 'additionalProperties') return explainUnknown(name, Object.keys(schema.properties), part === 'query' ? 'parameter' : 'field')
  if (keyword === 'required') return `${name} is missing; it takes ${takenBy(schema, name)}.`
  return 'The body must be a JSON object.'
}

function explainUnknown (name: string, known: readonly string[], kind: string): string {
  const accepted = known.length === 0 ? `No ${kind} is known here.` : `Known are ${known.join(', ')}.`
  return `There is no ${kind} ${JSON.stringify(name.slice(0, 64))}.${didYouMean(name, known) || ' ' + accepted}`
}

function takenBy (schema: TObject, name: string): string {
  return (schema.properties[name] as { description?: string } | undefined)?.description ?? 'another value'
}
