/**
 * Text from elsewhere, made fit for a terminal.
 *
 * Error texts and answers of subscribers come from other machines: control
 * characters in them could move the cursor or change what was printed before,
 * so none gets through; and what nobody sees is written out, so that two texts
 * that differ look different.
 */
import { COLOURS } from './colour.js'
import { showInvisible } from '../model/invisible.js'

/** Controls, and halves of characters. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/gu
const SPACES = /[\t\n\v\f\r\p{Zs}]+/gu
/** Our own colours, or what is unprintable within lines. */
const UNPRINTABLE_IN_LINES = new RegExp(`(${COLOURS})|(?![\\t\\n])${UNPRINTABLE.source}`, 'gu')

/** Characters that take two columns: East Asian scripts, full-width forms, emoji. */
const WIDE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303F\uFF01-\uFF60]/u
/** Characters that take none: they stand on the one before. */
const ON_THE_ONE_BEFORE = /\p{M}/u

/** The text on one line, with `·` for each control character in it. */
export function plainText (text: string): string {
  return showInvisible(text.replace(SPACES, ' ').replace(UNPRINTABLE, '·'))
}

/** Any text, also one of several lines, as it may reach a terminal; with our colours when it has any. */
export function plainLines (text: string, hasColours: boolean): string {
  return showInvisible(text.replace(UNPRINTABLE_IN_LINES, (_all, colour: string | undefined) => hasColours && colour !== undefined ? colour : '·'))
}

/** A value as one JSON document that is safe on a terminal and means the same; JSON escapes the other controls itself. */
export function plainJson (value: unknown): string {
  return showInvisible(JSON.stringify(value, null, 2))
}

/** Columns that a plain text takes on a terminal. */
export function widthOf (text: string): number {
  let width = 0
  for (const character of text) width += columnsOf(character)
  return width
}

/** The text in at most `columns`, its end replaced by `…` when it is longer; `columns` ≥ 1. */
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
