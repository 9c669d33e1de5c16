/**
 * The schema as plain data, without its TypeScript types, for code that walks it.
 */
import type { TSchema } from 'typebox'
import type { Kind } from './kinds.js'
import type { Restart } from './schema-words.js'

/** One entry of the schema. */
export interface Shape {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  readonly description?: string
  readonly default?: unknown
  readonly restart?: Restart
  readonly own?: true
  readonly kind?: Kind
  readonly least?: string
  readonly most?: string
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly items?: Shape
  readonly minItems?: number
  readonly maxItems?: number
  readonly names?: Kind
  readonly maxProperties?: number
  readonly properties?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  readonly additionalProperties?: false | Shape
  readonly anyOf?: readonly Shape[]
}

/** The same schema, as data. */
export function shapeOf (schema: TSchema): Shape {
  return schema as Shape
}
