/**
 * Which subscribers an event is for.
 */
import type { TaskFields } from './event.js'

/** What a subscriber wants. An empty list wants everything. */
export interface Match {
  /** Exact, or with a trailing `*` for a prefix. Case-sensitive. */
  types: readonly string[]
  statuses: readonly number[]
  businessIds: readonly string[]
}

/**
 * Whether an event is wanted. The lists are joined by "and", their entries by
 * "or".
 *
 * @returns `true` for every event when all three lists are empty
 */
export function matches (match: Match, event: Pick<TaskFields, 'type' | 'status' | 'businessId'>): boolean {
  return anyOf(match.types, pattern => fits(pattern, event.type)) &&
    anyOf(match.statuses, status => status === event.status) &&
    anyOf(match.businessIds, id => id === event.businessId)
}

/** Patterns apart: those that a value must equal, and the starts that it may have. The one reading of a trailing `*`. */
export function splitPatterns (patterns: readonly string[]): { exact: string[], prefixes: string[] } {
  const isPrefix = (pattern: string): boolean => pattern.endsWith('*')
  return {
    exact: patterns.filter(pattern => !isPrefix(pattern)),
    prefixes: patterns.filter(isPrefix).map(pattern => pattern.slice(0, -1))
  }
}

function fits (pattern: string, value: string): boolean {
  const { exact, prefixes } = splitPatterns([pattern])
  return exact.includes(value) || prefixes.some(start => value.startsWith(start))
}

function anyOf<T> (list: readonly T[], test: (entry: T) => boolean): boolean {
  return list.length === 0 || list.some(test)
}
