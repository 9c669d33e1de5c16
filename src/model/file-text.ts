/**
 * The text of a file that somebody wrote, perhaps with an editor of Windows:
 * marks at its start are no part of it, and what is no UTF-8 is read or named.
 *
 *   EF BB BF …   UTF-8 with a byte order mark
 *   FF FE …      UTF-16, as PowerShell and "Unicode" of old editors write it
 *   FE FF …      the same, the other way round
 *
 * Pure, and never says what is in it.
 */

/** What a file says, or what it is instead of text, as the end of "a file that …", and what to do. */
export type FileText = { text: string } | { problem: string, hint: string }

const MARKED: ReadonlyArray<[mark: readonly number[], encoding: string, name: string]> = [
  [[0xff, 0xfe], 'utf-16le', 'UTF-16'],
  [[0xfe, 0xff], 'utf-16be', 'UTF-16']
]
const HINT = 'save it as UTF-8'
/** More of the bytes of a text than this are no zeros, unless it is UTF-16. */
const MOST_ZEROS = 0.25

/** Reads the bytes of a whole file. Line breaks stay as they are. */
export function fileText (bytes: Uint8Array): FileText {
  const marked = MARKED.find(([mark]) => mark.every((byte, at) => bytes[at] === byte))
  const [, encoding, name] = marked ?? [[], 'utf-8', 'UTF-8']
  const zeros = marked === undefined ? bytes.filter(byte => byte === 0).length : 0
  if (zeros > bytes.length * MOST_ZEROS) return { problem: 'is UTF-16 without a byte order mark', hint: HINT }
  try {
    return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes) }
  } catch {
    return { problem: `is not ${name} text`, hint: HINT }
  }
}
