/**
 * Numbers with their nouns.
 */

/** `1 delivery`, `2 deliveries`; @param several  default `one` with an s */
export function counted (count: number, one: string, several: string = one + 's'): string {
  return `${count} ${count === 1 ? one : several}`
}
