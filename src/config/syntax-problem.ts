/**
 * Why a file is not YAML, in our own words: the messages of the parser quote the
 * file, and the quoted text may be a secret.
 */
import { reference } from './interpolate.js'
import type { Refusal } from './reading.js'

const QUOTE = 'put the text in quotes'

/** By the error codes of the parser. */
const PROBLEMS: Readonly<Record<string, Refusal>> = {
  BAD_ALIAS: { problem: 'an alias (*name) has no anchor (&name) before it', hint: 'a text that starts with * needs quotes' },
  BAD_DQ_ESCAPE: { problem: 'a text in double quotes has an unknown escape after \\', hint: 'use single quotes, or write \\\\' },
  BAD_INDENT: { problem: 'this line is not indented like the lines around it' },
  BAD_SCALAR_START: { problem: 'a text cannot start with this character', hint: QUOTE },
  BLOCK_AS_IMPLICIT_KEY: { problem: 'a second "key:" stands where only a value is allowed', hint: 'check the indentation, or put the text in quotes' },
  KEY_OVER_1024_CHARS: { problem: 'a key is longer than 1024 characters' },
  MISSING_CHAR: { problem: 'a quote, bracket, comma or colon is missing' },
  MULTILINE_IMPLICIT_KEY: { problem: 'a key runs over more than one line', hint: 'check for a missing colon, quote or bracket' },
  MULTIPLE_DOCS: { problem: 'the file has a second document (a line ---)', hint: 'keep one' },
  RESOURCE_EXHAUSTION: { problem: 'the file is nested too deeply' },
  TAB_AS_INDENT: { problem: 'this line is indented with a tab', hint: 'use spaces' },
  TAG_RESOLVE_FAILED: { problem: 'a tag (!name) is not known', hint: 'a text that starts with ! needs quotes' },
  UNEXPECTED_TOKEN: { problem: 'unexpected characters follow here', hint: `texts with [ ] { } or , need quotes, as in "[::]:8080" or "${reference('NAME')}"` }
}

/** @param code  of the parser's error */
export function syntaxProblem (code: string): Refusal {
  return PROBLEMS[code] ?? { problem: `this is not YAML (${code})` }
}
