/**
 * The words of the schema. Each makes one entry: its values, its default and one
 * sentence for the person who edits the YAML.
 *
 * An entry with a default always has a value after reading; an `optional` one may
 * be absent; any other must be written.
 */
import { Type, type Static, type TSchema, type TUnsafe } from 'typebox'
import type { Kind, Kinds } from './kinds.js'

/** When a change of an entry needs a restart. */
export type Restart = 'any change' | 'added or removed'

interface Marks {
  restart?: Restart
  /** Replicas may differ in it: it affects how one process runs, not what happens to a callback. */
  own?: true
}

interface ScalarMarks extends Marks {
  default?: string
  /** Bounds of a duration or size, in their written form. */
  least?: string
  most?: string
}

interface NumberMarks {
  default?: number
  minimum?: number
  maximum?: number
}

interface ListMarks {
  default?: readonly unknown[]
  minItems?: number
  maxItems?: number
}

interface NamedMarks {
  /** The syntax of the names; any if absent. */
  names?: Kind
  maxProperties?: number
}

/** A value of one of the known kinds. */
export function scalar<K extends Kind> (kind: K, description: string, marks: ScalarMarks = {}): TUnsafe<Kinds[K]> {
  return Type.Unsafe<Kinds[K]>({ type: 'string', kind, description, ...marks })
}

/** A whole number. */
export function whole (description: string, marks: NumberMarks): TUnsafe<number> {
  return Type.Unsafe<number>({ type: 'integer', description, ...marks })
}

/** Any number. */
export function decimal (description: string, marks: NumberMarks): TUnsafe<number> {
  return Type.Unsafe<number>({ type: 'number', description, ...marks })
}

/** True or false; without a default it is made `optional`. */
export function flag (description: string, byDefault?: boolean): TUnsafe<boolean> {
  return Type.Unsafe<boolean>({ type: 'boolean', description, ...byDefault === undefined ? {} : { default: byDefault } })
}

/** One of several words. */
export function choice<const W extends string> (words: readonly W[], description: string, byDefault: W): TUnsafe<W> {
  return Type.Unsafe<W>({ type: 'string', enum: words, description, default: byDefault })
}

/** Any number of equal entries. */
export function list<T extends TSchema> (item: T, description: string, marks: ListMarks): TUnsafe<Array<Static<T>>> {
  return Type.Unsafe<Array<Static<T>>>({ type: 'array', items: item, description, ...marks })
}

/** Named entries and no others; if the block is absent, it is read as an empty one. */
export function block<P extends Record<string, TSchema>> (description: string, properties: P, marks: Marks = {}) {
  return Type.Object(properties, { additionalProperties: false, description, default: {}, ...marks })
}

/** The same without a default: it must be written, unless it is made `optional`. */
export function group<P extends Record<string, TSchema>> (description: string, properties: P, marks: Marks = {}) {
  return Type.Object(properties, { additionalProperties: false, description, ...marks })
}

/** Entries under names that the writer chooses. */
export function named<T extends TSchema> (value: T, description: string, marks: NamedMarks = {}): TUnsafe<Record<string, Static<T>>> {
  return Type.Unsafe<Record<string, Static<T>>>({ type: 'object', additionalProperties: value, description, default: {}, ...marks })
}

/** One of several shapes, chosen by the form of the value: a block, a list or a scalar. */
export function either<A extends TSchema, B extends TSchema> (
  shapes: readonly [A, B], description: string, marks: { default?: unknown } = {}
): TUnsafe<Static<A> | Static<B>> {
  return Type.Unsafe<Static<A> | Static<B>>({ anyOf: shapes, description, ...marks })
}

/** May be absent, and then has no value. */
export const optional = Type.Optional
