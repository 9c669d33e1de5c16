import t from '../support/tap.js'
import { failureText } from '../../src/outbound/failure.js'

function coded (code: unknown, message = 'GET https://user:secret@host/ failed'): Error {
  return Object.assign(new Error(message), { code })
}

const TABLE: ReadonlyArray<[says: string, error: unknown, text: string]> = [
  ['a code of the system is said', coded('ECONNREFUSED'), 'ECONNREFUSED'],
  ['a code of TLS is said', coded('CERT_HAS_EXPIRED'), 'CERT_HAS_EXPIRED'],
  ['a code of the HTTP client is put in plain words', coded('UND_ERR_SOCKET'), 'connection closed before the answer was complete'],
  ['a connection that took too long is what the system calls it', coded('UND_ERR_CONNECT_TIMEOUT'), 'ETIMEDOUT'],
  ['of several addresses that fail the first is said', new AggregateError([coded('EHOSTUNREACH'), coded('ECONNREFUSED')]), 'EHOSTUNREACH'],
  ['no addresses, no code', new AggregateError([]), 'connection failed'],
  ['a message is never said', new Error('secret'), 'connection failed'],
  ['what is no code is never said', coded('secret: x'), 'connection failed'],
  ['what is no error is never said', 'secret', 'connection failed']
]
for (const [says, error, text] of TABLE) {
  t.test(says, async t => { t.equal(failureText(error), text) })
}
