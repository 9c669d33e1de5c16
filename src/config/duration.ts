/**
 * Durations as people write them: a whole number and a unit, nothing else.
 *
 * Deliberately strict. Common parsers read `15` as 15 milliseconds and `1M` as
 * a minute; here both are faults, so no timeout is wrong by a factor of a thousand.
 */
import type { Reading } from './reading.js'

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
type Unit = keyof typeof UNITS_MS

/** The syntax of a duration, for editors. */
export const DURATION_PATTERN = '^(0|[1-9][0-9]*)(ms|s|m|h|d)$'

/** A hundred years: a longer one is a typing error, and dates beyond it break. */
const LONGEST_MS = 36_500 * UNITS_MS.d

/**
 * Reads `500ms`, `15s`, `10m`, `6h` or `7d`.
 *
 * @returns milliseconds, 0 to a hundred years
 */
export function parseDuration (written: unknown): Reading<number> {
  if (isBareNumber(written)) {
    const number = typeof written === 'number' ? written : 15
    return { problem: 'has no unit', hint: `write ${number}s for seconds, or ${number}ms, ${number}m, ${number}h, ${number}d` }
  }
  const parts = typeof written === 'string' ? new RegExp(DURATION_PATTERN).exec(written) : null
  if (parts === null) return { problem: 'is not a duration', hint: 'write a whole number and a unit: 500ms, 15s, 10m, 6h or 7d' }
  const ms = Number(parts[1]) * UNITS_MS[parts[2] as Unit]
  if (ms > LONGEST_MS) return { problem: 'is longer than 36500d' }
  return { value: ms }
}

/** The shortest exact way to write a number of milliseconds: 5400000 is `90m`. */
export function formatDuration (ms: number): string {
  if (ms === 0) return '0s'
  const unit = (['d', 'h', 'm', 's'] as const).find(name => ms % UNITS_MS[name] === 0) ?? 'ms'
  return `${ms / UNITS_MS[unit]}${unit}`
}

/** A whole number without a unit, as YAML gives it or as text. */
export function isBareNumber (written: unknown): written is number | string {
  return Number.isSafeInteger(written) || (typeof written === 'string' && /^\d+$/.test(written))
}
