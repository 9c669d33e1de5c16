/**
 * Makes `config/relay.schema.json`, with which editors complete and check the
 * YAML: the schema of the code, plus the syntax that only a file has.
 *
 *   npm run build && node dist/config/generate-schema.js
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PATTERNS } from './kinds.js'
import { relaySchema } from './schema.js'
import { shapeOf, type Shape } from './shape.js'

/** The path of the schema, relative to this file. */
export const SCHEMA_FILE = fileURLToPath(new URL('../../config/relay.schema.json', import.meta.url))

/** The content of the file. */
export function editorSchema (): string {
  const schema = { $schema: 'http://json-schema.org/draft-07/schema#', title: 'fotor-relay', ...entryOf(shapeOf(relaySchema), true) }
  return JSON.stringify(schema, null, 2) + '\n'
}

/** The text contains a reference, so its value is not known yet. */
const FROM_OUTSIDE = '\\$\\{'

type Json = Record<string, unknown>

/** One entry; `blank` if it may be empty, which means the default. */
function entryOf (shape: Shape, blank: boolean): Json {
  const { description = '', restart } = shape
  const restartNote = restart === undefined ? '' : ` Restart to change${restart === 'any change' ? '' : ' between absent and there'}.`
  return {
    description: description + restartNote,
    ...(shape.default === undefined ? {} : { default: shape.default }),
    ...bodyOf(shape, blank)
  }
}

function bodyOf (shape: Shape, blank: boolean): Json {
  const orBlank = (type: string): string | string[] => blank ? [type, 'null'] : type
  const among = (shapes: Json[]): Json => ({ anyOf: [...shapes, ...blank ? [{ type: 'null' }] : []] })
  const { type = 'string', kind, anyOf, items = {}, minItems, maxItems, enum: words } = shape
  if (anyOf !== undefined) return among(anyOf.map(option => entryOf(option, false)))
  if (type === 'object') return { type: orBlank(type), ...blockOf(shape) }
  if (type === 'array') return { type: orBlank(type), items: entryOf(items, false), ...defined({ minItems, maxItems }) }
  if (words !== undefined) return among([{ enum: words }, REFERENCE])
  if (kind === 'fieldValue') return among([{ type: 'number' }, { type: 'boolean' }, textOf(kind)])
  if (kind === 'status') return among([{ type: 'integer' }, textOf(kind)])
  if (type === 'string') return { ...textOf(kind), type: orBlank(type) }
  return among([{ type, ...defined({ minimum: shape.minimum, maximum: shape.maximum }) }, REFERENCE])
}

const REFERENCE = { type: 'string', pattern: FROM_OUTSIDE }

function textOf (kind: Shape['kind']): Json {
  const pattern = kind === undefined ? undefined : PATTERNS[kind]
  return pattern === undefined ? { type: 'string' } : { type: 'string', pattern: `${pattern}|${FROM_OUTSIDE}` }
}

function blockOf ({ properties = {}, required = [], additionalProperties, names, maxProperties }: Shape): Json {
  if (typeof additionalProperties === 'object') {
    const propertyNames = names === undefined ? undefined : { pattern: PATTERNS[names] }
    return { additionalProperties: entryOf(additionalProperties, false), ...defined({ propertyNames, maxProperties }) }
  }
  const mustWrite = (key: string): boolean => required.includes(key) && properties[key]?.default === undefined
  const keys = Object.keys(properties)
  return {
    properties: Object.fromEntries(Object.entries(properties).map(([key, inner]) => [key, entryOf(inner, !mustWrite(key))])),
    ...(keys.some(mustWrite) ? { required: keys.filter(mustWrite) } : {}),
    additionalProperties: false
  }
}

/** Without entries that have no value. */
function defined (entries: Record<string, unknown>): Json {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(SCHEMA_FILE, editorSchema())
