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

/** Whether `value` fits `pattern`: equal, or starting with what stands before a trailing `*`. */
export function fits (pattern: string, value: string): boolean {
  return pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : value === pattern
}

function anyOf<T> (list: readonly T[], test: (entry: T) => boolean): boolean {
  return list.length === 0 || list.some(test)
}
