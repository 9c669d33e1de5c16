/**
 * The part of an answer that is kept: its first kilobyte, as text that is safe in
 * a terminal, a log and a page.
 *
 * Pure. Invalid UTF-8 becomes U+FFFD; control characters, line ends and
 * direction marks become one space; secrets of the request become `***` if the
 * answer contains them.
 */

/** Bytes of UTF-8 that are kept. */
export const MAX_EXCERPT_BYTES = 1024

/** A shorter text is no secret, and masking it would mask ordinary words. */
const MIN_SECRET_LENGTH = 6

const UNSHOWABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu

/**
 * @param bytes    what was read of the answer's body
 * @param secrets  texts to mask; those of fewer than 6 characters are ignored
 * @returns        at most 1024 bytes of UTF-8, or `null` when nothing is left to show
 */
export function excerptOf (bytes: Buffer, secrets: readonly string[] = []): string | null {
  if (bytes.length === 0) return null
  const text = masked(new TextDecoder().decode(bytes), secrets)
  return cut(text.replace(UNSHOWABLE, ' ').trim()) || null
}

/** The longest first: `Bearer abc` before `abc`. */
function masked (text: string, secrets: readonly string[]): string {
  return secrets
    .filter(secret => secret.length >= MIN_SECRET_LENGTH)
    .sort((a, b) => b.length - a.length)
    .reduce((shown, secret) => shown.replaceAll(secret, '***'), text)
}

/** Never ends within a character: the decoder holds an incomplete one back. */
function cut (text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= MAX_EXCERPT_BYTES) return text
  return new TextDecoder().decode(bytes.subarray(0, MAX_EXCERPT_BYTES), { stream: true })
}
