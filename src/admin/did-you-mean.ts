/**
 * The known word that a mistyped one was probably meant to be.
 */

/** More slips than this are another word. */
const MAX_SLIPS = 2
/** Nobody mistypes more than this. */
const MAX_CHARACTERS = 64

/**
 * A hint to append to a sentence.
 *
 * @returns ` Did you mean <word>?`, or nothing when no known word is near
 */
export function didYouMean (word: string, known: readonly string[]): string {
  const wanted = plain(word)
  const [best] = known
    .map(candidate => ({ candidate, slips: slipsBetween(wanted, plain(candidate)) }))
    .filter(({ slips }) => slips <= MAX_SLIPS && slips * 2 <= wanted.length)
    .sort((a, b) => a.slips - b.slips)
  return best === undefined ? '' : ` Did you mean ${best.candidate}?`
}

/** `task_id`, `task-id` and `taskid` are all `taskId` to a hasty writer. */
function plain (word: string): string {
  return word.slice(0, MAX_CHARACTERS).toLowerCase().replace(/[-_ ]/g, '')
}

/** Letters to insert, delete or replace (Levenshtein). */
function slipsBetween (a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const now = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      now.push(Math.min(now[column - 1]! + 1, above[column]! + 1, above[column - 1]! + (same ? 0 : 1)))
    }
    above = now
  }
  return above[b.length]!
}
