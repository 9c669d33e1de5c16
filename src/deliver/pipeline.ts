/**
 * Every step of a delivery, in order:
 *
 *   open ──▶ compose ──▶ send ──▶ classify ──▶ plan ──▶ record
 *
 *   open       record/open-delivery     reads the delivery of the job as the job is taken
 *   compose    compose                  the headers
 *   send       outbound/request         one request, one answer
 *   classify   classify                 what the answer means
 *   plan       plan                     delivered, failed, or when to try again
 *   record     record/record-attempt    written as the job finishes, waits or goes back
 *
 * The first and the last are scripts of the record. They run in the step in
 * which the queue moves the job; the others are here.
 *
 * `open` hands over a delivery only if it is open under its job, due, and not on
 * hold. The pipeline also promises that a delivery without a configured
 * subscriber is never sent, and that an attempt that we cut off uses no budget.
 */
import type { BreakerRules } from '../model/breaker.js'
import type { Report } from '../model/fact.js'
import type { Subscriber } from '../model/subscriber.js'
import type { AttemptResult, OpenedDelivery, Verdict } from '../model/work.js'
import type { Answer, Request } from '../outbound/request.js'
import { LIMITS } from '../record/limits.js'
import { OPEN_DELIVERIES, readOpening } from '../record/open-delivery.js'
import { RECORD_ATTEMPTS, recordingOf } from '../record/record-attempt.js'
import { attemptOf } from './attempt.js'
import { classify } from './classify.js'
import { composeHeaders } from './compose.js'
import { planNext } from './plan.js'
import { reportAttempt } from './report-attempt.js'
import { secretsOf } from './secrets.js'
import { throttleAfter } from './throttle.js'

export interface DelivererOptions {
  /** Reads the running configuration; asked for each attempt. */
  subscriberOf: (name: string) => Subscriber | undefined
  request: Request
  /** Version of the gateway, for `user-agent`. */
  version: string
  /** Epoch milliseconds. */
  clock?: () => number
  /** A random number, evenly distributed between 0 and 1. */
  random?: () => number
}

/** Makes one attempt, or says why it made none. The signal cuts off an attempt in flight. */
export type Deliverer = (job: { subscriber: string, opened: OpenedDelivery }, signal: AbortSignal) => Promise<Verdict>

type Parts = Required<DelivererOptions>

const STOPPING = { kind: 'give-back', onHold: false } as const
const ON_HOLD: Verdict = { kind: 'give-back', onHold: true }

/** The steps for the queue: `deliver` is called with a taken job; the others run with the moves of the job. */
export interface Pipeline {
  limits_of: typeof LIMITS
  open_deliveries: typeof OPEN_DELIVERIES
  read: typeof readOpening
  deliver: Deliverer
  record_attempts: typeof RECORD_ATTEMPTS
  /** What `record_attempts` takes. */
  inputOf: (prefix: string, results: readonly AttemptResult[]) => object
  /** Called when an attempt is on record, with the recorded time of the next one, epoch milliseconds. */
  recorded: (result: AttemptResult, nextAttemptAt: number | null) => void
  /** Called when a delivery has failed because its stored entry cannot be read. */
  corrupt: (delivery: { eventId: string, subscriber: string }) => void
}

/** Puts the steps together. */
export function createPipeline (options: DelivererOptions & { report: Report }): Pipeline {
  const breakerOf = (name: string): BreakerRules | null => options.subscriberOf(name)?.breaker ?? null
  return {
    limits_of: LIMITS,
    open_deliveries: OPEN_DELIVERIES,
    read: readOpening,
    deliver: createDeliverer(options),
    record_attempts: RECORD_ATTEMPTS,
    inputOf: (prefix, results) => recordingOf(prefix, results, breakerOf),
    recorded (result, nextAttemptAt) { reportAttempt(options.report, result, nextAttemptAt) },
    corrupt (delivery) { options.report({ fact: 'delivery.corrupt', ...delivery }) }
  }
}

/**
 * The steps between open and record.
 *
 * @param options  what the steps need; clock and random numbers are the system's unless a test replaces them
 */
export function createDeliverer (options: DelivererOptions): Deliverer {
  const parts: Parts = { clock: Date.now, random: Math.random, ...options }

  return async ({ subscriber: name, opened }, signal) => {
    if (signal.aborted) return STOPPING
    const subscriber = parts.subscriberOf(name)
    // The configuration may be newer than the holds in the record.
    if (subscriber === undefined || !subscriber.enabled) return ON_HOLD

    return await attempt(parts, { opened, subscriber, signal })
  }
}

interface AttemptInput { opened: OpenedDelivery, subscriber: Subscriber, signal: AbortSignal }

async function attempt (parts: Parts, attempted: AttemptInput): Promise<Verdict> {
  const { opened: { event, delivery, ageMs }, subscriber } = attempted
  const at = parts.clock()
  const answer = await send(parts, attempted, at)
  const now = parts.clock()
  const about = {
    eventId: event.id,
    subscriber: subscriber.name,
    generation: delivery.generation,
    attempt: attemptOf(answer, { number: delivery.attempts + 1, at, replayId: delivery.replayId })
  }
  // It says nothing about the subscriber: it is recorded and has no other effect.
  if ('failure' in answer && answer.failure === 'aborted') {
    return { ...STOPPING, result: { ...about, outcome: null, usesBudget: false, next: { state: 'unchanged' } } }
  }
  const outcome = classify(answer, now)
  const next = planNext(outcome, {
    policy: subscriber.retry,
    budgetUsed: delivery.budgetUsed + 1,
    ageMs: ageMs + now - at,
    maxAgeMs: subscriber.maxAgeMs,
    random: parts.random()
  })
  return verdictOf(Object.assign(about, { outcome, usesBudget: true, next, throttleMs: throttleAfter(outcome, Math.min(subscriber.retry.maxMs, subscriber.throttleMaxMs)) }))
}

async function send ({ request, version }: Parts, { opened, subscriber, signal }: AttemptInput, at: number): Promise<Answer> {
  const { event, delivery, body } = opened
  return await request({
    to: subscriber,
    headers: composeHeaders({ event, delivery, body, subscriber, version, at }),
    body,
    signal,
    secrets: secretsOf(subscriber.headers)
  })
}

function verdictOf (result: AttemptResult): Verdict {
  return result.next.state === 'retrying' ? { kind: 'again', result, afterMs: result.next.waitMs } : { kind: 'done', result }
}
