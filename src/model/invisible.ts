/**
 * Characters that nobody sees: they join or part what stands around them, turn
 * the direction of writing, or stand for nothing. Two texts that differ in them
 * look alike, and a line that holds some reads as another.
 */

/** Format characters (zero-width, bidi, tags), separators of lines and paragraphs, the second block of controls, letters that are blank. */
const INVISIBLE = /[\p{Cf}\p{Zl}\p{Zp}\u007F-\u009F\u115F\u1160\u3164\uFFA0]/gu
const PLAIN = /^[\t\n\x20-\x7E]*$/

/** The text with each of them written as JSON escapes it, `\u202e`; within a JSON text the meaning stays. */
export function showInvisible (text: string): string {
  return PLAIN.test(text) ? text : text.replace(INVISIBLE, escaped)
}

function escaped (character: string): string {
  return character.split('').map(unit => '\\u' + unit.charCodeAt(0).toString(16).padStart(4, '0')).join('')
}
