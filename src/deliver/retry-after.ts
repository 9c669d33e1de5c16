/**
 * How long a subscriber asks us to wait: reads `Retry-After`. Pure. `plan` caps
 * the wait and applies it to the delivery; `throttle` decides whether the other
 * deliveries of the subscriber wait too.
 */

/** The three forms of an HTTP date: the current one and two obsolete ones that must still be read. */
const DATES = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/
]

/**
 * @param header  `Retry-After` as received
 * @param now     epoch milliseconds; read only against a date
 * @returns       milliseconds, ≥ 0 and not capped; `undefined` if the header is absent or invalid
 * @see           RFC 9110 §10.2.3 (delay-seconds or HTTP-date) and §5.6.7 (the dates)
 */
export function waitAsked (header: string | undefined, now: number): number | undefined {
  const value = header?.trim() ?? ''
  if (/^\d+$/.test(value)) return Number(value) * 1000
  if (!DATES.some(shape => shape.test(value))) return undefined
  const at = Date.parse(value.endsWith('GMT') ? value : `${value} GMT`)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}
