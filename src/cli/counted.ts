/**
 * Numbers of things, in words.
 */

/** `1 delivery`, `2 deliveries`; @param several  `one` with an s when left out */
export function counted (count: number, one: string, several: string = one + 's'): string {
  return `${count} ${count === 1 ? one : several}`
}
