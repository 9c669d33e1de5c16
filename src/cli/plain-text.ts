/**
 * Makes foreign text safe for a terminal.
 *
 * Error texts and answers of subscribers come from other machines: control
 * characters in them could move the cursor or overwrite earlier output, so they
 * are replaced.
 */

/** Control characters and direction marks. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu

/** Characters that take two columns: East Asian scripts, full-width forms, emoji. */
const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303F\uFF01-\uFF60]/u
/** Characters without a column: they are drawn on the previous one. */
const ON_THE_ONE_BEFORE = /\p{M}/u

/** The text on one line, with `·` for each unsafe character. */
export function plainText (text: string): string {
  return text.replace(/\s+/g, ' ').replace(UNPRINTABLE, '·')
}

/** Characters that JSON allows but a terminal must not get; JSON escapes the other control characters itself. */
const UNPRINTABLE_IN_JSON = /[\u007F-\u009F\u2028-\u202E\u2066-\u2069]/g

/** A value as one JSON document that is safe on a terminal and has the same meaning. */
export function plainJson (value: unknown): string {
  return JSON.stringify(value, null, 2)
    .replace(UNPRINTABLE_IN_JSON, character => '\\u' + character.charCodeAt(0).toString(16).padStart(4, '0'))
}

/** The columns of a plain text on a terminal. */
export function widthOf (text: string): number {
  let width = 0
  for (const character of text) width += columnsOf(character)
  return width
}

/** The text in at most `columns`, its end replaced by `…` if it is longer; `columns` ≥ 1. */
export function cutTo (text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  let kept = ''
  let used = 0
  for (const character of text) {
    used += columnsOf(character)
    if (used > columns - 1) break
    kept += character
  }
  return kept + '…'
}

function columnsOf (character: string): number {
  if (ON_THE_ONE_BEFORE.test(character)) return 0
  return WIDE.test(character) ? 2 : 1
}
