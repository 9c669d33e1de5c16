/**
 * Reads JSON text token by token, in one pass, without building values.
 *
 * Promises to accept exactly what RFC 8259 calls JSON text (as `JSON.parse`
 * does), and to report where tokens begin and end, because numbers and objects
 * with duplicate names are compared by their source text. Does not interpret
 * values: see `canonical` and `identity`.
 */

const TAB = 0x09
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const PLUS = 0x2b
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const UPPER_E = 0x45
const BACKSLASH = 0x5c
const LOWER_E = 0x65

/** The text is malformed; the error says what and where, and never quotes the text. */
export class MalformedJson extends Error {
  /** @param at  index into the text, UTF-16 code units */
  constructor (readonly problem: string, readonly at: number) {
    super(`${problem} at character ${at + 1}`)
    this.name = 'MalformedJson'
  }
}

/** A position in a text. Every method reads one token and leaves `at` after it. */
export class JsonScanner {
  /** Index of the next character to read. */
  at = 0
  /** Whether the string read last held a backslash; if not, its text is its value. */
  escaped = false

  constructor (readonly text: string) {}

  /** The code of the next character that is not white space; does not consume it; `NaN` at the end. */
  peek (): number {
    const { text } = this
    let code = text.charCodeAt(this.at)
    while (code === SPACE || code === LINE_FEED || code === CARRIAGE_RETURN || code === TAB) {
      code = text.charCodeAt(++this.at)
    }
    return code
  }

  /** Skips white space, then consumes a character if it is next. */
  take (code: number): boolean {
    if (this.peek() !== code) return false
    this.at++
    return true
  }

  /** @throws MalformedJson if anything but white space is left */
  end (): void {
    if (!Number.isNaN(this.peek())) this.fail('text after the end of the value')
  }

  /**
   * Reads a string that begins at `at`.
   *
   * @returns its source with the quotes; `escaped` says whether it must be decoded
   * @throws  MalformedJson
   */
  string (): string {
    const { text } = this
    const start = this.at
    if (text.charCodeAt(start) !== QUOTE) this.fail('no string')
    this.escaped = false
    let at = start + 1
    for (;;) {
      const code = text.charCodeAt(at)
      if (code === QUOTE) break
      if (code === BACKSLASH) {
        this.escaped = true
        at += 2
      } else if (code >= SPACE) {
        at++
      } else {
        this.at = Math.min(at, text.length)
        this.fail(at >= text.length ? 'a string that does not end' : 'a control character in a string')
      }
    }
    this.at = at + 1
    return text.slice(start, this.at)
  }

  /**
   * Reads a number that begins at `at`.
   *
   * @returns its source
   * @throws  MalformedJson
   */
  number (): string {
    const { text } = this
    const start = this.at
    if (text.charCodeAt(this.at) === MINUS) this.at++
    if (text.charCodeAt(this.at) === ZERO) this.at++
    else this.digits()
    if (text.charCodeAt(this.at) === POINT) {
      this.at++
      this.digits()
    }
    const code = text.charCodeAt(this.at)
    if (code === LOWER_E || code === UPPER_E) {
      const sign = text.charCodeAt(++this.at)
      if (sign === PLUS || sign === MINUS) this.at++
      this.digits()
    }
    return text.slice(start, this.at)
  }

  /** Reads `true`, `false` or `null` that begins at `at`. */
  literal (word: string): string {
    if (!this.text.startsWith(word, this.at)) this.fail('an unknown word')
    this.at += word.length
    return word
  }

  /**
   * The value of the source of a string, as {@link string} returned it.
   *
   * @throws MalformedJson if an escape is invalid
   */
  decode (source: string): string {
    try {
      return JSON.parse(source) as string
    } catch {
      this.fail('a string with an unknown escape, which ends')
    }
  }

  /** @throws MalformedJson, always */
  fail (problem: string): never {
    throw new MalformedJson(problem, this.at)
  }

  private digits (): void {
    const { text } = this
    const start = this.at
    let code = text.charCodeAt(start)
    while (code >= ZERO && code <= NINE) code = text.charCodeAt(++this.at)
    if (this.at === start) this.fail('a number without a digit')
  }
}
