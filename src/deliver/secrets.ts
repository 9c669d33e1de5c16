/**
 * The texts of a request that must not be shown if the subscriber's answer
 * contains them. Pure.
 */

/**
 * @param headers  the subscriber's own headers
 * @returns        each value, and the part after its scheme: for `Bearer abc` also `abc`
 */
export function secretsOf (headers: Readonly<Record<string, string>>): string[] {
  return Object.values(headers).flatMap(value => [value, value.slice(value.indexOf(' ') + 1)])
}
