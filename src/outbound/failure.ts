/**
 * Why a request got no answer, in words that are safe to log and to show.
 *
 * Only stable codes of Node, OpenSSL and the HTTP client are used. Messages are
 * not: they contain host names, header values and certificates.
 */

const NOT_HTTP = 'the answer is not HTTP/1.1'

const CHANGES_PROTOCOL = 'answered 101, although no other protocol was requested'

/** Codes that mean nothing to a reader who does not know the HTTP client. */
const IN_PLAIN_WORDS: Readonly<Record<string, string>> = {
  UND_ERR_SOCKET: 'connection closed before the answer was complete',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'connection closed before the answer was complete, or its content-length is wrong',
  UND_ERR_HEADERS_OVERFLOW: 'the headers of the answer are too large',
  UND_ERR_CONNECT_TIMEOUT: 'ETIMEDOUT',
  // Assertions of the client about an answer: a status below 100, a bare 101.
  ERR_ASSERTION: NOT_HTTP,
  UND_ERR_INVALID_ARG: 'the request cannot be sent: check the url and the headers of this subscriber'
}

const CODE = /^[A-Z][A-Z0-9_]{1,63}$/

/**
 * @param error  any error of the HTTP client
 * @returns      a code such as `ECONNREFUSED` or `CERT_HAS_EXPIRED`, or a short sentence; never a secret
 */
export function failureText (error: unknown): string {
  // undici 7 does not set the parser's own code.
  if (error instanceof Error && error.name === 'HTTPParserError') return NOT_HTTP
  const code = codeOf(error)
  if (code === null) return 'connection failed'
  // The client's own text for a 101; it contains nothing of the answer.
  if (code === 'UND_ERR_SOCKET' && (error as Error).message === 'bad upgrade') return CHANGES_PROTOCOL
  return IN_PLAIN_WORDS[code] ?? code
}

function codeOf (error: unknown): string | null {
  if (!(error instanceof Error)) return null
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && CODE.test(code)) return code
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  return null
}
