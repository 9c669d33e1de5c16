/**
 * What the steps of the journey report. One typed fact per step; telemetry
 * turns each into one wide log line (and counts it), so no step formats text
 * and none can leak a secret: a fact has no field for a body, a header or a
 * URL with its secrets.
 */
import type { Condition } from './alert.js'
import type { Flag } from './event.js'
import type { BreakerState } from './breaker.js'
import type { SubscriberHold } from './delivery.js'
import type { FailReason, RetryReason } from './outcome.js'
import type { Replica } from './replica.js'

/**
 * How a request that was refused can have been meant for us, as far as may be
 * told: slashes too many or too few, another spelling of the path, another last
 * segment of it, TLS where there is none, none where there is, the PROXY
 * protocol, two lengths at once.
 */
export type Hint = 'slashes' | 'spelling' | 'segment' | 'tls' | 'no-tls' | 'proxy-protocol' | 'two-lengths'

/**
 * Why somebody was not let into the admin API: a token that is none of ours,
 * the same one again, none, one that may only read, or too many before.
 */
export type CallerRefusal = 'wrong-token' | 'same-wrong-token' | 'no-token' | 'viewer' | 'must-wait'

export type Fact =
  | { fact: 'callback.refused', status: number, reason: string, source: string, sampled?: boolean, unlisted?: true, hint?: Hint }
  | { fact: 'callback.unlisted', source: string }
  | { fact: 'callback.proxy-untrusted', source: string, advice: string }
  | { fact: 'event.accepted', eventId: string, taskId: string, status: number, type: string, revision: number, flags: Flag[], subscribers: string[], latencyMs: number }
  | { fact: 'event.duplicate', eventId: string, taskId: string, status: number }
  | { fact: 'accept.unavailable', reason: string }
  | { fact: 'spool.began', reason: string }
  | { fact: 'spool.ended', awayMs: number, callbacks: number, bytes: number }
  | { fact: 'spool.drained', callbacks: number, setAside: number }
  | { fact: 'spool.full', callbacks: number, bytes: number, maxBytes: number }
  | { fact: 'spool.trouble', error: string, file: string | null }
  | { fact: 'spool.mended' }
  | { fact: 'spool.torn', file: string, bytes: number }
  | { fact: 'spool.damaged', file: string, bytes: number }
  | { fact: 'spool.set-aside', file: string, reason: string }
  | { fact: 'spool.postponed', callbacks: number, reason: string }
  | { fact: 'spool.found', callbacks: number, bytes: number }
  | { fact: 'spool.left', callbacks: number, bytes: number }
  | { fact: 'delivery.delivered', eventId: string, subscriber: string, attempt: number, statusCode: number, latencyMs: number }
  | { fact: 'delivery.retrying', eventId: string, subscriber: string, attempt: number, statusCode?: number, reason: RetryReason, error: string | null, nextAttemptAt: number | null }
  | { fact: 'delivery.failed', eventId: string, subscriber: string, attempt: number, statusCode?: number, reason: FailReason, error: string | null }
  | { fact: 'delivery.corrupt', eventId: string, subscriber: string }
  | { fact: 'backlog.failed', subscriber: string, deliveries: number, reason: FailReason }
  | { fact: 'delivery.cut-off', eventId: string, subscriber: string, attempt: number }
  | { fact: 'subscriber.held', subscriber: string, by: SubscriberHold }
  | { fact: 'subscriber.released', subscriber: string, by: SubscriberHold }
  | { fact: 'subscriber.forgotten', subscriber: string }
  | { fact: 'subscriber.breaker', subscriber: string, state: BreakerState }
  | { fact: 'queue.reconciled', subscriber: string, added: number }
  | { fact: 'queue.worker-replaced', subscriber: string, idleMs: number }
  | { fact: 'queue.trouble', subscriber: string | null, error: string }
  | { fact: 'record.swept', events: number }
  | { fact: 'record.corrupt', eventId: string }
  | { fact: 'record.deleted-early', events: number, failed: number, usedBytes: number, maxBytes: number }
  | { fact: 'record.claims-given-up', claims: number, before: number }
  | { fact: 'replay.progress', replayId: string, queued: number, matched: number, state: string }
  | { fact: 'discard.progress', orderId: string, discarded: number, matched: number, state: string }
  | { fact: 'release.progress', orderId: string, queued: number, matched: number, state: string }
  | { fact: 'purge.progress', orderId: string, purged: number, matched: number, state: string }
  | { fact: 'redis.state', role: string, state: 'ready' | 'lost' | 'restarted', detail?: string }
  | { fact: 'redis.loading', percent: number, secondsLeft: number }
  | { fact: 'redis.memory', state: 'short' | 'enough', usedBytes: number, maxBytes: number }
  | { fact: 'alert.raised' | 'alert.reminder' | 'alert.resolved', since: number } & Pick<Condition, 'name' | 'severity' | 'subscriber' | 'summary'>
  | { fact: 'alert.receiver', receiver: string, state: 'takes' | 'refuses', error: string | null }
  | { fact: 'alert.trouble', error: string }
  | { fact: 'admin.failed', error: string }
  | { fact: 'admin.refused', source: string, why: CallerRefusal }
  | { fact: 'config.loaded', changed: string[] }
  | { fact: 'replicas.differ', replicas: Array<Pick<Replica, 'host' | 'pid' | 'role' | 'fingerprint'>>, of: number }
  | { fact: 'replicas.agree', of: number }
  | { fact: 'config.refused', faults: string[] }

/** Given to every step; never throws. */
export type Report = (fact: Fact) => void
