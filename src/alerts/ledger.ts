/**
 * Decides which notices are due, from the present conditions and the earlier
 * notices.
 *
 *   observe ──▶ dueTo (each receiver) ──▶ send ──▶ tell ──▶ forget
 *
 * Pure: no clock, no I/O. A condition that begins and ends within `afterMs` is
 * never told, and a condition that ends and begins again within it stays the
 * same alert, so that nothing flaps.
 */
import type { Alert, AlertPolicy, Condition, Notice } from '../model/alert.js'

/** One notice for one receiver. */
export interface DueNotice {
  notice: Notice
  alert: Alert
}

/** The time of what the notice reports, epoch milliseconds. */
export interface Moment extends Pick<AlertPolicy, 'afterMs' | 'repeatMs'> {
  now: number
}

/**
 * Updates alerts with the present conditions.
 *
 * @param alerts  before this moment
 * @param seen    every present condition that these alerts cover
 * @param now     epoch milliseconds; a clock that was set back makes nothing wait for the future
 */
export function observe (alerts: readonly Alert[], seen: readonly Condition[], now: number): Alert[] {
  const before = new Map(alerts.map(alert => [keyOf(alert), alert]))
  const present = seen.map(condition => {
    const { since = now, told = {} } = before.get(keyOf(condition)) ?? {}
    return { ...condition, since: Math.min(since, now), endedAt: null, told }
  })
  const keys = new Set(present.map(keyOf))
  const over = alerts.filter(alert => !keys.has(keyOf(alert))).map(alert => ({ ...alert, endedAt: Math.min(alert.endedAt ?? now, now) }))
  return [...present, ...over]
}

/** The notices that are due to a receiver, the oldest alert first. */
export function dueTo (receiver: string, alerts: readonly Alert[], moment: Moment): DueNotice[] {
  return [...alerts].sort((one, other) => one.since - other.since).flatMap(alert => {
    const notice = noticeFor(alert, receiver, moment)
    return notice === null ? [] : [{ notice, alert }]
  })
}

function noticeFor ({ since, endedAt, told }: Alert, receiver: string, { now, afterMs, repeatMs }: Moment): Notice | null {
  const last = told[receiver]
  const isRaised = last !== undefined && last.notice !== 'resolved'
  if (endedAt !== null) return isRaised && now - endedAt >= afterMs ? 'resolved' : null
  if (!isRaised) return now - since >= afterMs ? 'raised' : null
  return now - last.at >= repeatMs ? 'reminder' : null
}

/** Stores that a receiver was told a notice at `at`, epoch milliseconds. */
export function tell (alerts: readonly Alert[], { notice, alert }: DueNotice, { receiver, at }: { receiver: string, at: number }): Alert[] {
  return alerts.map(other => keyOf(other) === keyOf(alert)
    ? { ...other, told: { ...other.told, [receiver]: { notice, at } } }
    : other)
}

/**
 * Drops alerts that have ended and that no receiver must still be told.
 *
 * @param receivers  of the present configuration: a removed one is not waited for
 */
export function forget (alerts: readonly Alert[], receivers: readonly string[], { now, afterMs }: Moment): Alert[] {
  return alerts.filter(({ endedAt, told }) => {
    if (endedAt === null || now - endedAt < afterMs) return true
    return receivers.some(receiver => told[receiver] !== undefined && told[receiver].notice !== 'resolved')
  })
}

/** The same name and the same subscriber: the same alert. */
function keyOf ({ name, subscriber }: Pick<Condition, 'name' | 'subscriber'>): string {
  return `${name} ${subscriber ?? ''}`
}
