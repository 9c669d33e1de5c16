/**
 * Tells operators what needs them: takes a snapshot every few seconds, and tells
 * each receiver and the log what began, what lasts and what has ended.
 *
 *   snapshot ──▶ observe ──▶ dueTo ──▶ notify ──▶ tell ──▶ save
 *
 * Promises to tell each receiver at least once, even if this process dies in
 * between: an alert is saved as told only after it was sent. One replica sends
 * the alerts of the relay; each process sends its own, even while Redis is away.
 * Never rejects, never ends.
 */
import type { Alert, AlertPolicy, Condition } from '../model/alert.js'
import type { Report } from '../model/fact.js'
import { repeat, type Repeated } from '../time/repeat.js'
import { dueTo, forget, observe, tell, type DueNotice, type Moment } from './ledger.js'
import type { Notifier, NotifyResult } from './notifier.js'

/** Interval between two ticks, milliseconds; shorter if `alerts.after` is shorter. */
const TICK_EVERY_MS = 5_000

/** The log is treated like a receiver; no receiver can have this name. */
const LOG = '(log)'

/** Where alerts are stored between two ticks. */
export interface AlertStore {
  /** Rejects if it cannot save. */
  read: () => Promise<Alert[]>
  save: (alerts: readonly Alert[]) => Promise<void>
}

/** The conditions of one moment. */
export interface TrueConditions {
  conditions: readonly Condition[]
  /** `null` while the record cannot be read: then nothing is known about the relay. */
  subscribers: readonly unknown[] | null
}

export interface AlertsOptions {
  /** `null` while no snapshot is possible, as at the start. Never rejects. */
  snapshot: () => Promise<TrueConditions | null>
  /** Reads the running configuration. */
  policy: () => AlertPolicy
  /** Stores the alerts of this process. */
  own: AlertStore
  /** Stores the alerts of the relay. */
  shared: AlertStore
  /** Whether this replica sends the alerts of the relay. */
  isSpeaker: () => boolean
  notifier: Notifier
  report: Report
  /** Epoch milliseconds. */
  clock?: () => number
}

export interface Alerts {
  start (): void
  /** Active alerts, the oldest first. Never rejects: while Redis is away, those that this process knows. */
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

/** Updates the alerts of one store from the conditions, and sends the due notices. */
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

/** The receivers that know that it is active, without the log. */
export function toldOf ({ told }: Alert): string[] {
  return Object.entries(told).filter(([receiver, { notice }]) => receiver !== LOG && notice !== 'resolved').map(([receiver]) => receiver)
}
