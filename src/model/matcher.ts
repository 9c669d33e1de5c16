/**
 * Who wants an event: the matches of all subscribers, prepared so that one pass
 * over a body answers for all of them.
 *
 *   matches ──▶ matcher ──▶ begin ──▶ found, found, … ──▶ wantedBy
 *
 * The cost of a value does not grow with the number of subscribers, and only by
 * the logarithm of the number of their prefixes: a body of a megabyte of tiny
 * values costs no more than reading it. Pure: no clock, no I/O.
 */
import type { TaskFields } from './event.js'
import { fieldTreeOf, type FieldTree } from './field-path.js'
import { entriesOf, readPatterns, type Match } from './match.js'

/** The values of an event outside its body, by path: every event has each of them exactly once. */
type KnownFields = Pick<TaskFields, 'taskId' | 'status' | 'type'>
const KNOWN: ReadonlyArray<keyof KnownFields> = ['taskId', 'status', 'type']

/** Collects the values of one body. */
export interface FieldReading {
  /** The paths to look for; `null` for none. */
  readonly tree: FieldTree | null
  /** Reports a value at the end of a path: the value of a text, the source text of a number. */
  found (end: number, value: string): void
}

/** The matching of one event. */
export interface MatchReading extends FieldReading {
  /**
   * Who wants the event, once its body has been read.
   *
   * @returns positions in the list of matches, rising
   */
  wantedBy (event: KnownFields): number[]
}

export interface Matcher {
  /** Whether the body must be read to decide who wants the event. */
  readonly readsBody: boolean
  /** Begins the matching of one event. */
  begin (): MatchReading
  /** Who may want an event, as far as its body is not needed; as `MatchReading.wantedBy`. */
  maybeWantedBy (event: KnownFields): number[]
}

/** All wanted values of one path. Each distinct pattern has a number. */
interface PathPatterns {
  exact: Map<string, number>
  /** Sorted by text. */
  prefixes: Prefix[]
}

interface Prefix {
  text: string
  pattern: number
  /** The longest other prefix that it starts with. */
  within: Prefix | null
}

/** An entry of one match: it matches if one of its patterns does. */
interface Entry {
  isKnown: boolean
  patterns: number[]
}

/** Makes a matcher for a list of matches. */
export function createMatcher (matches: readonly Match[]): Matcher {
  const { byPath, entries, count } = compile(matches)
  const paths = [...byPath.keys()].filter(path => !isKnown(path))
  const ends = paths.map(path => byPath.get(path)!)
  const known = KNOWN.flatMap(name => byPath.has(name) ? [{ name, patterns: byPath.get(name)! }] : [])
  const knownEntries = entries.map(ofMatch => ofMatch.filter(entry => entry.isKnown))
  const tree = paths.length === 0 ? null : fieldTreeOf(paths)

  const wanting = (fitted: Uint8Array, event: KnownFields, entriesBy: readonly Entry[][]): number[] => {
    for (const { name, patterns } of known) note(patterns, String(event[name]), fitted)
    const wanted: number[] = []
    for (let at = 0; at < entriesBy.length; at++) {
      if (allFit(entriesBy[at]!, fitted)) wanted.push(at)
    }
    return wanted
  }

  return {
    readsBody: tree !== null,
    begin () {
      const fitted = new Uint8Array(count)
      return {
        tree,
        found (end, value) { note(ends[end]!, value, fitted) },
        wantedBy: event => wanting(fitted, event, entries)
      }
    },
    maybeWantedBy: event => wanting(new Uint8Array(count), event, knownEntries)
  }
}

function isKnown (path: string): boolean {
  return (KNOWN as readonly string[]).includes(path)
}

interface Compiled {
  byPath: Map<string, PathPatterns>
  /** By match. */
  entries: Entry[][]
  /** Of patterns. */
  count: number
}

function compile (matches: readonly Match[]): Compiled {
  const byPath = new Map<string, { exact: Map<string, number>, starts: Map<string, number> }>()
  let count = 0
  const numberOf = (numbers: Map<string, number>, text: string): number => {
    if (!numbers.has(text)) numbers.set(text, count++)
    return numbers.get(text)!
  }
  const entries = matches.map(match => entriesOf(match).map(({ path, patterns }): Entry => {
    if (!byPath.has(path)) byPath.set(path, { exact: new Map(), starts: new Map() })
    const { exact, starts } = byPath.get(path)!
    const split = readPatterns(patterns)
    return {
      isKnown: isKnown(path),
      patterns: [...split.exact.map(text => numberOf(exact, text)), ...split.prefixes.map(text => numberOf(starts, text))]
    }
  }))
  const sorted = [...byPath].map(([path, { exact, starts }]) => [path, { exact, prefixes: prefixesOf(starts) }] as const)
  return { byPath: new Map(sorted), entries, count }
}

/** Sorted, each with the prefix that contains it: this one stands before it, and all between are contained in it too. */
function prefixesOf (starts: ReadonlyMap<string, number>): Prefix[] {
  const sorted = [...starts].sort(([a], [b]) => a < b ? -1 : 1)
  let last: Prefix | null = null
  return sorted.map(([text, pattern]) => {
    last = { text, pattern, within: innermost(last, text) }
    return last
  })
}

/** The first prefix of a text among one prefix and those that contain it. */
function innermost (from: Prefix | null, text: string): Prefix | null {
  let prefix = from
  while (prefix !== null && !text.startsWith(prefix.text)) prefix = prefix.within
  return prefix
}

/** Plain loops: this runs for every callback and every subscriber. */
function allFit (entries: readonly Entry[], fitted: Uint8Array): boolean {
  for (const { patterns } of entries) {
    if (!oneFits(patterns, fitted)) return false
  }
  return true
}

function oneFits (patterns: readonly number[], fitted: Uint8Array): boolean {
  for (const pattern of patterns) {
    if (fitted[pattern] === 1) return true
  }
  return false
}

/** Notes every pattern that a value matches. */
function note ({ exact, prefixes }: PathPatterns, value: string, fitted: Uint8Array): void {
  const equal = exact.get(value)
  if (equal !== undefined) fitted[equal] = 1
  if (prefixes.length === 0) return
  let prefix = innermost(lastUpTo(prefixes, value), value)
  // If one has been noted, those that contain it have been noted too.
  while (prefix !== null && fitted[prefix.pattern] === 0) {
    fitted[prefix.pattern] = 1
    prefix = prefix.within
  }
}

/** The last prefix that does not sort after a value; every prefix of the value is that one or contains it. */
function lastUpTo (prefixes: readonly Prefix[], value: string): Prefix | null {
  let low = 0
  let high = prefixes.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (prefixes[middle]!.text <= value) low = middle + 1
    else high = middle
  }
  return low === 0 ? null : prefixes[low - 1]!
}
