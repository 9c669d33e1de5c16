/**
 * "Did you mean": finds the known word that a mistyped word probably means.
 */

/**
 * @returns the nearest of `known`, or `undefined` if none is near enough:
 *          at most two slips, and fewer than half the letters
 */
export function closest (word: string, known: readonly string[]): string | undefined {
  const wanted = plain(word)
  const ranked = known
    .map(candidate => ({ candidate, slips: slipsBetween(wanted, plain(candidate)) }))
    .sort((a, b) => a.slips - b.slips)
  const best = ranked[0]
  if (best === undefined || best.slips > 2 || best.slips * 2 > wanted.length) return undefined
  return best.candidate
}

/** `max_body`, `max-body` and `MaxBody` may all mean `maxBody`. */
function plain (word: string): string {
  return word.slice(0, 64).toLowerCase().replace(/[-_ ]/g, '')
}

/** Letters to insert, delete, replace or swap with a neighbour (optimal string alignment). */
function slipsBetween (a: string, b: string): number {
  let older: number[] = []
  let old = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const now = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let slips = Math.min(now[column - 1]! + 1, old[column]! + 1, old[column - 1]! + (same ? 0 : 1))
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) slips = Math.min(slips, older[column - 2]! + 1)
      now.push(slips)
    }
    older = old
    old = now
  }
  return old[b.length]!
}
