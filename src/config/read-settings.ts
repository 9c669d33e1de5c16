/**
 * Reads the written configuration by the schema: interpolates, applies defaults,
 * and lists every problem.
 *
 * Walks file and schema side by side, once. A value that cannot be read is left
 * out and listed, and the walk continues, so that one run shows all problems.
 */
import { interpolate, refersOutside, type Outside } from './interpolate.js'
import { readValue, type GivenValue } from './read-value.js'
import { unknownKey } from './unknown-key.js'
import { formatPath, isBlank, writtenOf, type Path, type Written, type WrittenBlock, type WrittenList, type WrittenValue } from './written.js'
import type { PlacedRefusal } from './fault.js'
import { isRefusal, type Refusal } from './reading.js'
import type { Shape } from './shape.js'

/** The values that were read, and the problems. */
export interface SettingsRead {
  /** By the schema; a written value that cannot be read is present as `undefined`. */
  value: unknown
  problems: PlacedRefusal[]
  /** The values that came from outside, by path, as written in the file. */
  asWritten: Map<string, string>
}

interface Walk {
  top: Shape
  outside: Outside
  problems: PlacedRefusal[]
  asWritten: Map<string, string>
}

/** The position of the walk in the file. */
interface WrittenSpot<W extends Written = Written> {
  written: W
  path: Path
}

/** Reads the whole configuration. */
export function readSettings (shape: Shape, written: Written, outside: Outside): SettingsRead {
  const walk: Walk = { top: shape, outside, problems: [], asWritten: new Map() }
  const value = readAt(walk, shape, { written, path: [] })
  return { value, problems: walk.problems, asWritten: walk.asWritten }
}

function readAt (walk: Walk, shape: Shape, { written, path }: WrittenSpot): unknown {
  if (isBlank(written) && shape.default !== undefined) return readAt(walk, shape, { written: writtenOf(shape.default), path })
  const fitting = (shape.anyOf ?? [shape]).find(option => fits(option, written))
  if (fitting === undefined) return refuse(walk, path, misfit(shape, written))
  switch (written.kind) {
    case 'value': return readOne(walk, fitting, { written, path })
    case 'list': return readList(walk, fitting, { written, path })
    case 'block': return readBlock(walk, fitting, { written, path })
  }
}

function fits ({ type }: Shape, written: Written): boolean {
  if (written.kind === 'block') return type === 'object'
  if (written.kind === 'list') return type === 'array'
  return type !== 'object' && type !== 'array' && written.value !== null
}

function misfit (shape: Shape, written: Written): Refusal {
  if (isBlank(written)) return { problem: 'is empty' }
  const wanted = new Set((shape.anyOf ?? [shape]).map(({ type }) => SHAPE_NAMES[type ?? 'string'] ?? SHAPE_NAMES.value))
  const problem = `must be ${[...wanted].join(' or ')}, not ${SHAPE_NAMES[written.kind]}`
  return wanted.has(SHAPE_NAMES.list) && written.kind === 'value' ? { problem, hint: 'write [a, b], or a line "- a" for each' } : { problem }
}

const SHAPE_NAMES: Readonly<Record<string, string>> = {
  value: 'a single value', list: 'a list', array: 'a list', block: 'a block of keys', object: 'a block of keys'
}

function readOne (walk: Walk, shape: Shape, { written, path }: WrittenSpot<WrittenValue>): unknown {
  const given = putIn(walk, shape, { written, path })
  if (given === undefined) return undefined
  const reading = readValue(shape, given, walk.outside)
  return 'value' in reading ? reading.value : refuse(walk, path, reading)
}

/** Kinds that are useless with a part missing, even if the rest can be read. */
const NEEDS_ALL = new Set<string | undefined>(['secret', 'token', 'headerValue'])

function putIn (walk: Walk, shape: Shape, { written: { value, digits }, path }: WrittenSpot<WrittenValue>): GivenValue | undefined {
  if (typeof value !== 'string') return value === null ? undefined : { value, digits, outside: false }
  if (!refersOutside(value)) return { value, outside: false }
  const { text, outside, problems } = interpolate(value, walk.outside)
  const emptyWillDo = problems.length > 0 && !NEEDS_ALL.has(shape.kind) && !isRefusal(readValue(shape, { value: text, outside }, walk.outside))
  for (const { orEmpty, ...refusal } of problems) {
    refuse(walk, path, emptyWillDo && orEmpty !== undefined ? { ...refusal, hint: `${refusal.hint}, or ${orEmpty}` } : refusal)
  }
  if (outside) walk.asWritten.set(formatPath(path), value)
  return problems.length === 0 ? { value: text, outside } : undefined
}

function readList (walk: Walk, shape: Shape, { written, path }: WrittenSpot<WrittenList>): unknown {
  const { items, minItems = 0, maxItems = Infinity } = shape
  if (written.items.length < minItems) return refuse(walk, path, { problem: `needs at least ${minItems}` })
  if (written.items.length > maxItems) return refuse(walk, path, { problem: `takes at most ${maxItems}` })
  return written.items.map((item, at) => readAt(walk, items ?? {}, { written: item, path: [...path, at] }))
}

function readBlock (walk: Walk, shape: Shape, { written, path }: WrittenSpot<WrittenBlock>): unknown {
  const { properties: known = {}, maxProperties = Infinity } = shape
  if (written.entries.size > maxProperties) return refuse(walk, path, { problem: `takes at most ${maxProperties}` })
  const chosen = [...written.entries].filter(([key]) => !Object.hasOwn(known, key)).flatMap(([key, { value }]) => {
    const at = [...path, key]
    if (typeof shape.additionalProperties === 'object') {
      refuseName(walk, shape, at)
      return [[key, readAt(walk, shape.additionalProperties, { written: value, path: at })]]
    }
    walk.problems.push(unknownKey(at, shape, walk.top))
    return []
  })
  const named = Object.entries(known).flatMap(([key, inner]) => {
    const value = written.entries.get(key)?.value
    const read = readEntry(walk, inner, { value, path: [...path, key], required: shape.required?.includes(key) === true })
    return read === undefined && isBlank(value) ? [] : [[key, read]]
  })
  return Object.fromEntries([...named, ...chosen])
}

/** Names that the writer chooses may have a required syntax. */
function refuseName (walk: Walk, { names }: Shape, path: Path): void {
  const reading = names === undefined ? { value: '' } : readValue({ kind: names }, { value: String(path.at(-1)), outside: false }, walk.outside)
  if (isRefusal(reading)) walk.problems.push({ ...reading, path, at: { path, on: 'key' } })
}

/** One known key of a block; it may be absent. */
function readEntry (
  walk: Walk, shape: Shape, { value, path, required }: { value: Written | undefined, path: Path, required: boolean }
): unknown {
  if (!isBlank(value) || shape.default !== undefined) return readAt(walk, shape, { written: value ?? writtenOf(null), path })
  if (!required) return undefined
  return refuse(walk, path, { problem: 'is missing', ...(shape.description === undefined ? {} : { hint: shape.description }) })
}

function refuse (walk: Walk, path: Path, refusal: Refusal): undefined {
  walk.problems.push({ ...refusal, path })
}
