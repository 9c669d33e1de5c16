/**
 * Checks a query or a body against the schema of its route.
 *
 * Everything that is wrong is told at once, by name, with what is accepted:
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

/** A query is all text, so its numbers and booleans are read from text; a body says what it means. */
const QUERY = new Ajv({ allErrors: true, coerceTypes: true })
const BODY = new Ajv({ allErrors: true })

/** Makes the check for one route; throws at start when the schema is no schema. */
export function checkFor (schema: TObject, part: 'query' | 'body'): InputCheck {
  const isValid = (part === 'query' ? QUERY : BODY).compile({ ...schema, additionalProperties: false })
  return data => {
    const value = data ?? {}
    if (!isValid(value)) return { error: invalid(uniqueByName((isValid.errors ?? []).map(error => explain(error, schema, part)))) }
    const endless = endlessIn(value)
    return endless.length === 0 ? { value } : { error: invalid(endless.map(name => unusable(name, takenBy(schema, name)))) }
  }
}

/** Numbers that a query wrote as `1e999`: read from text they pass for integers, and no bound is asked of them. */
function endlessIn (value: object): string[] {
  return Object.entries(value).filter(([, read]) => typeof read === 'number' && !Number.isFinite(read)).map(([name]) => name)
}

/** The error for a request with something wrong; also for what no schema can see. */
export function invalid (errors: readonly InputError[]): RelayError {
  return new RelayError('INVALID_REQUEST', errors.map(({ problem }) => problem).join(' '), { errors })
}

/** What to say of a known name with an unusable value. */
export function unusable (name: string, takes: string): InputError {
  return { name, problem: `${name} takes ${takes}.` }
}

function explain ({ keyword, params, instancePath }: ErrorObject, schema: TObject, part: 'query' | 'body'): InputError {
  const known = Object.keys(schema.properties)
  if (keyword === 'additionalProperties' && instancePath === '') {
    const name = String(params['additionalProperty'])
    return { name, problem: explainUnknown(name, known, part === 'query' ? 'parameter' : 'field') }
  }
  if (instancePath === '' && keyword === 'required') {
    const name = String(params['missingProperty'])
    return { name, problem: `${name} is missing; it takes ${takenBy(schema, name)}.` }
  }
  if (instancePath === '') return { name: part, problem: 'The body must be a JSON object.' }
  const name = instancePath.split('/')[1]!
  return unusable(name, takenBy(schema, name))
}

function explainUnknown (name: string, known: readonly string[], kind: string): string {
  const accepted = known.length === 0 ? `No ${kind} is known here.` : `Known are ${known.join(', ')}.`
  return `There is no ${kind} ${JSON.stringify(name.slice(0, 64))}.${didYouMean(name, known) || ' ' + accepted}`
}

function takenBy (schema: TObject, name: string): string {
  return (schema.properties[name] as { description?: string } | undefined)?.description ?? 'another value'
}

function uniqueByName (errors: InputError[]): InputError[] {
  return [...new Map(errors.map(error => [error.name, error])).values()]
}
