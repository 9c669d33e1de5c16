/** The state of a gateway that is well: no condition is true of it. */
import type { State } from '../../src/conditions/condition.js'
import type { SubscriberStatus } from '../../src/record/read-subscribers.js'

export const STATE: State = {
  now: 1_700_000_000_000,
  redisProblem: null,
  spool: { callbacks: 0, bytes: 0, oldestAt: null, maxBytes: 1_000_000, isSpooling: false, problem: null, setAside: 0 },
  lostConnections: [],
  stalled: [],
  memory: { usedBytes: 10, maxBytes: 100 },
  claims: { claims: 5, mostClaims: 100, forgottenBefore: null },
  subscribers: [],
  skewMs: 0,
  refusedFaults: 0,
  replicasTrouble: null,
  refusals: {},
  misdirected: [],
  guesses: 0
}

export const SUBSCRIBER: SubscriberStatus = {
  name: 'billing',
  holds: [],
  throttledUntil: null,
  counts: { open: 0, held: 0, failed: 0, delivered: 0 },
  oldestWaitingAt: null,
  corrupt: 0,
  lastSuccessAt: null,
  lastError: null,
  failing: false,
  overdue: false,
  breaker: 'closed'
}
