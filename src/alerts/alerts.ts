/**
 * Tells operators what needs them: takes a snapshot every few seconds, and tells each
 * receiver, and the log, what began, what lasts and what is over.
 *
 *   snapshot ──▶ observe ──▶ dueTo ──▶ notify ──▶ tell ──▶ save
 *
 * Promises that whoever is to be told is told at least once, also when this
 * process dies in between: what was said is saved after it was said. What is
 * true of the whole relay is told by one replica, what is true of this process
 * by itself, also while Redis is away. Never rejects, never ends.
 */
import type { Alert, AlertPolicy, Condition } from '../model/alert.js'
import type { Report } from '../model/fact.js'
import { repeat, type Repeated } from '../time/repeat.js'
import { dueTo, forget, observe, tell, type DueNotice, type Moment } from './ledger.js'
import type { Notifier, NotifyResult } from './notifier.js'

/** Between two ticks, milliseconds; less when `alerts.after` is shorter. */
const TICK_EVERY_MS = 5_000

/** The log is told like a receiver; none can be called so. */
const LOG = '(log)'

/** Where alerts are kept between two ticks. */
export interface AlertStore {
  /** Rejects when it cannot. */
  read: () => Promise<Alert[]>
  save: (alerts: readonly Alert[]) => Promise<void>
}

/** What is true at one moment. */
export interface TrueConditions {
  conditions: readonly Condition[]
  /** `null` while the record cannot be read: then nothing is known of the relay. */
  subscribers: readonly unknown[] | null
}

export interface AlertsOptions {
  /** `null` while there is nothing to tell, as at the start. Never rejects. */
  snapshot: () => Promise<TrueConditions | null>
  /** Of the running configuration. */
  policy: () => AlertPolicy
  /** For what is true of this process. */
  own: AlertStore
  /** For what is true of the relay. */
  shared: AlertStore
  /** Whether this replica is the one that tells of the relay. */
  isSpeaker: () => boolean
  notifier: Notifier
  report: Report
  /** Epoch milliseconds. */
  clock?: () => number
}

export interface Alerts {
  start (): void
  /** What lasts, the oldest first. Never rejects: while Redis is away it is what this process knows. */
  current (): Promise<Alert[]>
  /** Sends a test to every receiver. */
  test (): Promise<NotifyResult[]>
  /** Idempotent. */
  stop (): Promise<void>
}

/** Makes it; nothing happens before `start`. */
export function createAlerts (options: AlertsOptions): Alerts {
  const { policy, own, shared, notifier, report } = options
  let ticks: Repeated | undefined
  let failing = false

  async function tick (): Promise<void> {
    await round(options)
    failing = false
  }

  return {
    start () {
      ticks = repeat(tick, {
        everyMs: () => Math.min(TICK_EVERY_MS, policy().afterMs),
        failed (error) {
          if (!failing) report({ fact: 'alert.trouble', error: error instanceof Error ? error.message : String(error) })
          failing = true
        }
      })
    },
    async current () {
      const all = await Promise.all([own, shared].map(async store => await store.read().catch(() => [])))
      return all.flat().filter(({ endedAt }) => endedAt === null).sort((one, other) => one.since - other.since)
    },
    test: async () => await Promise.all(policy().receivers.map(notifier.test)),
    async stop () {
      notifier.close()
      await ticks?.stop()
    }
  }
}

async function round (options: AlertsOptions): Promise<void> {
  const snapshot = await options.snapshot()
  if (snapshot === null) return
  options.notifier.keepOnly(options.policy().receivers)
  const { conditions, subscribers } = snapshot
  const ofReplica = conditions.filter(({ of }) => of === 'replica')
  const ofRelay = subscribers === null || !options.isSpeaker() ? null : conditions.filter(({ of }) => of === 'relay')
  const ended = await Promise.allSettled([
    settle(options, options.own, ofReplica),
    ofRelay === null ? undefined : settle(options, options.shared, ofRelay)
  ])
  for (const end of ended) if (end.status === 'rejected') throw end.reason
}

/** Brings the alerts of one store up to what is true now, and tells who is to be told. */
async function settle ({ policy, notifier, report, clock = Date.now }: AlertsOptions, store: AlertStore, conditions: readonly Condition[]): Promise<void> {
  const { receivers, afterMs, repeatMs } = policy()
  const moment: Moment = { now: clock(), afterMs, repeatMs }
  let alerts = observe(await store.read(), conditions, moment.now)
  const all = alerts
  const taken = await Promise.all(receivers.map(async receiver => ({
    receiver: receiver.name, dues: await notifier.notify(receiver, dueTo(receiver.name, all, moment))
  })))
  const logged = dueTo(LOG, all, moment)
  for (const due of logged) report(factOf(due))
  for (const { receiver, dues } of [...taken, { receiver: LOG, dues: logged }]) {
    for (const due of dues) alerts = tell(alerts, due, { receiver, at: clock() })
  }
  await store.save(forget(alerts, [LOG, ...receivers.map(({ name }) => name)], moment))
}

function factOf ({ notice, alert: { name, severity, subscriber, summary, since } }: DueNotice): Parameters<Report>[0] {
  return { fact: `alert.${notice}`, name, severity, subscriber, summary, since }
}

/** Who has been told that it lasts, the log aside. */
export function toldOf ({ told }: Alert): string[] {
  return Object.entries(told).filter(([receiver, { notice }]) => receiver !== LOG && notice !== 'resolved').map(([receiver]) => receiver)
}
