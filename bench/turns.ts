/**
 * The order in which things are measured, so that a noisy machine is unfair to
 * nobody: contestants take turns, and the first turn of each does not count.
 */

/**
 * Runs each contestant once to warm up, then `runs` times in turn.
 *
 * @returns the values of each contestant, in the order of its runs
 */
export async function takeTurns<T> (runs: number, contestants: ReadonlyArray<() => Promise<T>>): Promise<T[][]> {
  const values: T[][] = contestants.map(() => [])
  for (let run = 0; run <= runs; run++) {
    for (const [index, contestant] of contestants.entries()) {
      const value = await contestant()
      if (run > 0) values[index]!.push(value)
    }
  }
  return values
}

/**
 * Finds the setting at which somebody is fastest.
 *
 * @param choices   at least one
 * @param perSecond  a short try
 */
export async function bestOf (choices: readonly number[], perSecond: (choice: number) => Promise<number>): Promise<number> {
  let best = { choice: choices[0]!, rate: -1 }
  if (choices.length === 1) return best.choice
  for (const choice of choices) {
    const rate = await perSecond(choice)
    if (rate > best.rate) best = { choice, rate }
  }
  return best.choice
}
