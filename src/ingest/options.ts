/**
 * What the public endpoint needs from the rest of the gateway.
 */
import type { Accept } from '../accept/arrival.js'
import type { RefusedCallback } from '../accept/refused.js'
import type { Report } from '../model/fact.js'
import type { ListenerLimits, ListenerTls } from './listener.js'
import type { IngestPolicy } from './policy.js'
import type { SharedCounter } from './rate-limit.js'

export interface IngestOptions {
  /** Asked for each request and connection; returns the same object until something changes. */
  policy: () => IngestPolicy
  accept: Accept
  /** Keeps a refused callback. Fire and forget: its outcome neither delays nor changes an answer. */
  quarantine: (refused: RefusedCallback) => void
  report: Report
  /** While true, every answer asks its client to open a new connection. */
  stopping?: () => boolean
  /** `null` or absent: plain HTTP. */
  tls?: ListenerTls | null
  /** For `rateLimit.store: redis`; without it each process counts alone. */
  rateLimitRedis?: SharedCounter
  /** Merged over `LISTENER_LIMITS`. */
  limits?: Partial<ListenerLimits>
  /** How long a refused body may take when it is read anyway, milliseconds; default 2 s. */
  sampleWithinMs?: number
}
