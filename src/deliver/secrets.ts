/**
 * What of a request must not come back to be shown, should the subscriber's
 * answer echo it. Pure.
 */

/**
 * @param headers  the subscriber's own
 * @returns        each value, and what follows its scheme: of `Bearer abc` also `abc`
 */
export function secretsOf (headers: Readonly<Record<string, string>>): string[] {
  return Object.values(headers).flatMap(value => [value, value.slice(value.indexOf(' ') + 1)])
}
