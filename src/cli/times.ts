/**
 * Times for people at a terminal. The admin API returns ISO 8601 in UTC.
 */

const STEPS = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000]] as const

/** `12s ago`, `3m ago`, `5h ago`, `2d ago`; `in 3m` for the future; empty for none. */
export function ago (iso: string | null, nowMs: number): string {
  if (iso === null) return ''
  const distanceMs = nowMs - Date.parse(iso)
  const short = shortly(Math.abs(distanceMs))
  return distanceMs < 0 ? `in ${short}` : `${short} ago`
}

/** To the second, UTC, so that it can be copied into `--since`; empty for none. */
export function exactTime (iso: string | null): string {
  return iso === null ? '' : iso.replace(/\.\d+Z$/, 'Z')
}

/** In the largest unit only: `45s`, `3m`, `5h`, `2d`. */
export function shortly (durationMs: number): string {
  const step = STEPS.find(([, ms]) => durationMs >= ms)
  return step === undefined ? `${Math.floor(durationMs / 1_000)}s` : `${Math.floor(durationMs / step[1])}${step[0]}`
}
