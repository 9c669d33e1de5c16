/**
 * What a subscriber wants, as configured: for some fields of the body, the values
 * that it accepts.
 *
 * Everything is compared as text: a text by its value, a number by its source
 * text, `true` and `false` by their names. So `1` and `"1"` are equal, and no
 * digit is lost. `matcher` decides who wants an event.
 */

/** The keys of a match that stand for one field, with its path. A new key needs an entry in the schema and one here. */
export const FIELD_OF = { types: 'type', statuses: 'status', businessIds: 'businessId' } as const

/**
 * What a subscriber wants. Every key must match, and a key matches if one of its
 * values does. Absent or empty matches everything.
 */
export type Match = {
  readonly [Key in keyof typeof FIELD_OF]?: ReadonlyArray<string | number>
} & {
  /** By path, see `field-path`. */
  readonly fields?: Readonly<Record<string, readonly string[]>>
}

/** The wanted values of one field. */
export interface MatchEntry {
  path: string
  /** Not empty. Exact, or with a trailing `*` for a prefix; case-sensitive. */
  patterns: readonly string[]
}

/** A match as a list: every entry must match. */
export function entriesOf (match: Match): MatchEntry[] {
  return [
    ...keysOf(match).map(key => ({ path: FIELD_OF[key], patterns: (match[key] ?? []).map(String) })),
    ...Object.entries(match.fields ?? {}).map(([path, patterns]) => ({ path, patterns }))
  ].filter(({ patterns }) => patterns.length > 0)
}

/** A match for people: `types avatar, image* and statuses 1`. */
export function describeMatch (match: Match): string {
  const said: Array<[string, ReadonlyArray<string | number>]> = [
    ...keysOf(match).map((key): [string, ReadonlyArray<string | number>] => [key, match[key] ?? []]),
    ...Object.entries(match.fields ?? {})
  ]
  return said.filter(([, values]) => values.length > 0).map(([name, values]) => `${name} ${values.join(', ')}`).join(' and ')
}

/** Separates patterns: values that must be equal, and prefixes. Only this function interprets a trailing `*`. */
export function readPatterns (patterns: readonly string[]): { exact: string[], prefixes: string[] } {
  const isPrefix = (pattern: string): boolean => pattern.endsWith('*')
  return {
    exact: patterns.filter(pattern => !isPrefix(pattern)),
    prefixes: patterns.filter(isPrefix).map(pattern => pattern.slice(0, -1))
  }
}

function keysOf (_match: Match): Array<keyof typeof FIELD_OF> {
  return Object.keys(FIELD_OF) as Array<keyof typeof FIELD_OF>
}
