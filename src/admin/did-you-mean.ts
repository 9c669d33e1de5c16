/**
 * A hint for a mistyped word.
 */
import { closest } from '../model/closest.js'

/**
 * A hint to append to a sentence.
 *
 * @returns ` Did you mean <word>?`, or nothing if no known word is near
 */
export function didYouMean (word: string, known: readonly string[]): string {
  const best = closest(word, known)
  return best === undefined ? '' : ` Did you mean ${best}?`
}
