/**
 * The answer of INFO as fields.
 */

/** Field names and their values, as Redis writes them; hidden fields are absent. */
export type Info = ReadonlyMap<string, string>

/** Reads `name:value` lines; skips headings and blank lines. */
export function parseInfo (text: string): Info {
  const fields = new Map<string, string>()
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':')
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1).trimEnd())
  }
  return fields
}

/**
 * Whether a version is at least another, by its first two numbers.
 *
 * @param version  `7.0.15`
 * @returns `false` for a text that is not a version
 */
export function isAtLeast (version: string, [major, minor]: readonly [number, number]): boolean {
  const parts = /^(\d+)\.(\d+)/.exec(version)
  if (parts === null) return false
  const theirs = Number(parts[1])
  return theirs > major || (theirs === major && Number(parts[2]) >= minor)
}

/** The oldest server with all commands and guarantees that we need. */
export const OLDEST_VERSION = [6, 2] as const
