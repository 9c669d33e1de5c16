/**
 * Numbers that look random and are the same for the same seed, so that a run
 * that failed can be made again.
 */
export interface Random {
  /** From 0 up to, and without, 1. */
  next (): number
  /** A whole number from `least` to `most`. */
  between (least: number, most: number): number
  pick <T>(choices: readonly T[]): T
  /** True so often, of 1. */
  chance (share: number): boolean
  /** A stream of its own: what is drawn from it changes nothing here. */
  fork (name: string): Random
}

/** Starts a stream. */
export function randomFrom (seed: string): Random {
  let state = hashOf(seed)

  // Mulberry32: small, fast, and good enough to choose faults with.
  function next (): number {
    state = (state + 0x6D2B79F5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  const between = (least: number, most: number): number => least + Math.floor(next() * (most - least + 1))
  return {
    next,
    between,
    pick: choices => choices[between(0, choices.length - 1)]!,
    chance: share => next() < share,
    fork: name => randomFrom(`${seed}/${name}`)
  }
}

/** FNV-1a. */
function hashOf (text: string): number {
  let hash = 0x811C9DC5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash
}
