/**
 * The configuration as written: blocks, lists and values, each with its place in
 * the file. The YAML reader produces it, so that every fault has a line and a
 * column, and no other code needs to know YAML.
 */

/** A position in the file; both from 1. */
export interface Place {
  line: number
  column: number
}

/** Keys and indexes from the top: `['subscribers', 0, 'url']`. */
export type Path = ReadonlyArray<string | number>

export type WrittenBlock = { kind: 'block', place: Place | null, entries: ReadonlyMap<string, { key: Place | null, value: Written }> }
export type WrittenList = { kind: 'list', place: Place | null, items: readonly Written[] }
/** `digits` is a number as written in the file, which may exceed what a number can hold. */
export type WrittenValue = { kind: 'value', place: Place | null, value: string | number | boolean | null, digits?: string }
export type Written = WrittenBlock | WrittenList | WrittenValue

/** A default of the schema, in the form of a written value; it has no place. */
export function writtenOf (value: unknown): Written {
  if (Array.isArray(value)) return { kind: 'list', place: null, items: value.map(writtenOf) }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(([key, inner]) => [key, { key: null, value: writtenOf(inner) }] as const)
    return { kind: 'block', place: null, entries: new Map(entries) }
  }
  return { kind: 'value', place: null, value: value as WrittenValue['value'] }
}

/** Whether the value is empty: only `key:`, which means the default. */
export function isBlank (written: Written | undefined): boolean {
  return written === undefined || (written.kind === 'value' && written.value === null)
}

/**
 * The place of a path in the file, or else of the nearest thing around it.
 *
 * @param on  the key of the last step, or its value
 * @returns   `null` if the file has nothing near it
 */
export function placeOf (top: Written, path: Path, on: 'key' | 'value' = 'value'): Place | null {
  let here = top
  let place = top.place
  for (const step of path) {
    const next = stepInto(here, step)
    if (next === undefined) return place
    here = next.value
    place = (on === 'key' ? next.key : null) ?? here.place ?? place
  }
  return place
}

function stepInto (written: Written, step: string | number): { key: Place | null, value: Written } | undefined {
  if (written.kind === 'block') return written.entries.get(String(step))
  const item = written.kind === 'list' ? written.items[Number(step)] : undefined
  return item === undefined ? undefined : { key: null, value: item }
}

/** A path as people write it: `subscribers[0].headers.Authorization`. */
export function formatPath (path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`
    return text === '' ? step : `${text}.${step}`
  }, '')
}
