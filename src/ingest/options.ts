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
  /** Asked at every request and connection; gives the same object while nothing has changed. */
  policy: () => IngestPolicy
  accept: Accept
  /** Keeps a refused callback; fire and forget: what becomes of it neither delays nor changes an answer. */
  quarantine: (refused: RefusedCallback) => void
  report: Report
  /** While true, every answer asks its client to connect anew. */
  stopping?: () => boolean
  /** `null` or left out: plain HTTP. */
  tls?: ListenerTls | null
  /** For `rateLimit.store: redis`; without it each process counts alone. */
  rateLimitRedis?: SharedCounter
  /** Laid over `LISTENER_LIMITS`. */
  limits?: Partial<ListenerLimits>
  /** How long a refused body may take that is read all the same, milliseconds; 2 s when left out. */
  sampleWithinMs?: number
}
