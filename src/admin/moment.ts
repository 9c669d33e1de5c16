/**
 * Points in time as people and programs write them: ISO 8601, or an age.
 *
 * Deliberately strict: `Date.parse` takes `1` for a year and 31 February for
 * 2 March.
 */
const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const AGO = /^(\d{1,9})([smhd])$/

/** A space before the offset is a `+` that was not escaped in a query. */
const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:Z|([ +-])(\d\d):?(\d\d))?)?$/

/**
 * Reads a point in time.
 *
 * @param written  `2h`, `15m`, `90s`, `7d` before now; a date; a date and time,
 *                 in UTC unless it has an offset
 * @param now      epoch milliseconds
 * @returns        epoch milliseconds, `null` if it is invalid
 */
export function parseMoment (written: string, now: number): number | null {
  const ago = AGO.exec(written)
  if (ago !== null) return now - Number(ago[1]) * UNITS_MS[ago[2] as keyof typeof UNITS_MS]
  const parts = ISO.exec(written)
  return parts === null ? null : fromParts(parts)
}

function fromParts (parts: RegExpExecArray): number | null {
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(part => Number(part ?? 0)) as [number, number, number, number, number, number]
  const offsetHours = Number(parts[9] ?? 0)
  const offsetMinutes = Number(parts[10] ?? 0)
  const date = new Date(Date.UTC(year, month - 1, day))
  const isDate = date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  if (!isDate || hour > 23 || minute > 59 || second > 59 || offsetHours > 23 || offsetMinutes > 59) return null
  const ms = Math.floor(Number(`0.${parts[7] ?? 0}`) * 1_000)
  const offsetMs = (offsetHours * 60 + offsetMinutes) * 60_000 * (parts[8] === '-' ? -1 : 1)
  return Date.UTC(year, month - 1, day, hour, minute, second, ms) - offsetMs
}
