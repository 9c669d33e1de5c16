import t from '../support/tap.js'
import { classify, type AnswerToClassify } from '../../src/deliver/classify.js'
import type { Outcome } from '../../src/model/outcome.js'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)

/** The table of answers in the contract, line by line. */
const TABLE: ReadonlyArray<[says: string, answer: AnswerToClassify, means: Outcome]> = [
  ['200 is delivered', { status: 200 }, { kind: 'delivered', status: 200 }],
  ['2xx is delivered', { status: 204 }, { kind: 'delivered', status: 204 }],
  ['299 is delivered', { status: 299 }, { kind: 'delivered', status: 299 }],
  ['410 is failed: gone', { status: 410 }, { kind: 'failed', reason: 'gone', status: 410 }],
  ['410 is gone whatever Retry-After says', { status: 410, retryAfter: '7' }, { kind: 'failed', reason: 'gone', status: 410 }],
  ['429 is retried', { status: 429 }, { kind: 'retry', reason: 'rate-limited', status: 429 }],
  ['429 waits the seconds it asks', { status: 429, retryAfter: '7' }, { kind: 'retry', reason: 'rate-limited', status: 429, waitMs: 7_000 }],
  ['429 waits for the date it asks', { status: 429, retryAfter: 'Fri, 02 Jan 2026 03:05:05 GMT' }, { kind: 'retry', reason: 'rate-limited', status: 429, waitMs: 60_000 }],
  ['408 is retried', { status: 408, retryAfter: '1' }, { kind: 'retry', reason: 'server-error', status: 408, waitMs: 1_000 }],
  ['500 is retried', { status: 500 }, { kind: 'retry', reason: 'server-error', status: 500 }],
  ['503 waits the seconds it asks', { status: 503, retryAfter: '9' }, { kind: 'retry', reason: 'server-error', status: 503, waitMs: 9_000 }],
  ['a Retry-After that says nothing is ignored', { status: 503, retryAfter: 'soon' }, { kind: 'retry', reason: 'server-error', status: 503 }],
  ['599 is retried', { status: 599 }, { kind: 'retry', reason: 'server-error', status: 599 }],
  ['302 is retried: we follow no redirect', { status: 302 }, { kind: 'retry', reason: 'rejected', status: 302 }],
  ['304 is retried', { status: 304 }, { kind: 'retry', reason: 'rejected', status: 304 }],
  ['400 is retried: it may be mended', { status: 400 }, { kind: 'retry', reason: 'rejected', status: 400 }],
  ['404 takes no Retry-After', { status: 404, retryAfter: '7' }, { kind: 'retry', reason: 'rejected', status: 404 }],
  ['101 is retried', { status: 101 }, { kind: 'retry', reason: 'rejected', status: 101 }],
  ['600 is retried, and no server error', { status: 600 }, { kind: 'retry', reason: 'rejected', status: 600 }],
  ['a timeout is retried', { failure: 'timeout' }, { kind: 'retry', reason: 'timeout' }],
  ['a failed connection is retried', { failure: 'connection' }, { kind: 'retry', reason: 'connection' }]
]
for (const [says, answer, means] of TABLE) {
  t.test(says, async t => { t.strictSame(classify(answer, NOW), means) })
}
