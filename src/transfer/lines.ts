/**
 * Cuts a stream of bytes into lines, and tells a last one that lacks its
 * break: whoever wrote it was stopped. A byte order mark before the first is
 * no part of it.
 */

/** The longest line that is read, bytes: a body of 64 MB in base64, and its event. */
const LONGEST = 100 * 1024 * 1024

export interface TextLine {
  /** UTF-8, without the break. */
  text: string
  /** With the break. */
  bytes: number
  /** It has its break. */
  isWhole: boolean
}

/** @throws RangeError for a line that is too long to be one of ours */
export async function * readLines (input: AsyncIterable<Buffer | string>): AsyncGenerator<TextLine> {
  let isFirst = true
  for await (const line of cutLines(input)) {
    yield isFirst ? { ...line, text: line.text.replace(/^\ufeff/, '') } : line
    isFirst = false
  }
}

async function * cutLines (input: AsyncIterable<Buffer | string>): AsyncGenerator<TextLine> {
  let parts: Buffer[] = []
  let length = 0
  for await (const chunk of input) {
    let rest = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      const line = Buffer.concat([...parts, rest.subarray(0, end)])
      parts = []
      length = 0
      yield { text: line.toString(), bytes: line.length + 1, isWhole: true }
      rest = rest.subarray(end + 1)
    }
    length += rest.length
    if (length > LONGEST) throw new RangeError(`a line has more than ${LONGEST / 1024 / 1024} MB`)
    if (rest.length > 0) parts.push(rest)
  }
  if (length > 0) yield { text: Buffer.concat(parts).toString(), bytes: length, isWhole: false }
}
