/**
 * Checks a query or a body against the schema of its route.
 *
 * What is wrong is told at once, up to 20 names of it, with what is accepted:
 * the `description` of a property completes the sentence "<name> takes …". What
 * a route does not know is refused, because a mistyped filter that is ignored
 * does the opposite of what was meant. Never repeats a value.
 */
import { Ajv, type ErrorObject } from 'ajv'
import type { TObject } from 'typebox'
import { RelayError } from '../model/errors.js'
import { didYouMean } from './did-you-mean.js'

/** One thing that is wrong with a request. */
export interface InputError {
  /** The parameter or field. */
  name: string
  /** What is wrong with it, a sentence. */
  problem: string
}

/** As Fastify wants it of a validator. */
export type InputCheck = (data: unknown) => { value: unknown } | { error: Error }

/** No more are explained: a hint costs time, and who has this many faults looks at the document. */
const MOST_EXPLAINED = 20

/** A query is all text, so its numbers and booleans are read from text; a body says what it means. */
const QUERY = new Ajv({ allErrors: true, coerceTypes: true })
const BODY = new Ajv({ allErrors: true })

/** Makes the check for one route; throws at start when the schema is no schema. */
export function checkFor (schema: TObject, part: 'query' | 'body'): InputCheck {
  const isValid = (part === 'query' ? QUERY : BODY).compile({ ...schema, additionalProperties: false })
  return data => {
    const value = data ?? {}
    if (!isValid(value)) return { error: refusalOf(isValid.errors ?? [], schema, part) }
    const endless = endlessIn(value)
    return endless.length === 0 ? { value } : { error: invalid(endless.map(name => unusable(name, takenBy(schema, name)))) }
  }
}

/** Numbers that a query wrote as `1e999`: read from text they pass for integers, and no bound is asked of them. */
function endlessIn (value: object): string[] {
  return Object.entries(value).filter(([, read]) => typeof read === 'number' && !Number.isFinite(read)).map(([name]) => name)
}

/**
 * The error for a request with something wrong; also for what no schema can see.
 *
 * @param more  how many more names are wrong
 */
export function invalid (errors: readonly InputError[], more = 0): RelayError {
  const rest = more === 0 ? [] : [`And ${more} more.`]
  return new RelayError('INVALID_REQUEST', [...errors.map(({ problem }) => problem), ...rest].join(' '), { errors })
}

/** The last error of each name, the first names only. */
function refusalOf (errors: readonly ErrorObject[], schema: TObject, part: 'query' | 'body'): RelayError {
  const byName = [...new Map(errors.map(error => [nameIn(error, part), error]))]
  const explained = byName.slice(0, MOST_EXPLAINED).map(([name, error]) => ({ name, problem: explain(name, error, { schema, part }) }))
  return invalid(explained, byName.length - explained.length)
}

/** Which parameter or field an error is about; `part` when it is the whole. */
function nameIn ({ keyword, params, instancePath }: ErrorObject, part: string): string {
  if (instancePath !== '') return instancePath.split('/', 2)[1]!
  if (keyword === 'additionalProperties') return String(params['additionalProperty'])
  return keyword === 'required' ? String(params['missingProperty']) : part
}

/** What to say of a known name with an unusable value. */
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
