/**
 * Who is to be told what: from what is true now and what was said before.
 *
 *   observe ──▶ dueTo (each receiver) ──▶ send ──▶ tell ──▶ forget
 *
 * Pure: no clock, no I/O. A condition that comes and goes within `afterMs` is
 * told to nobody, and one that goes and comes back within it is still the same
 * alert, so that nothing flaps.
 */
import type { Alert, AlertPolicy, Condition, Notice } from '../model/alert.js'

/** One thing that one receiver is to be told. */
export interface DueNotice {
  notice: Notice
  alert: Alert
}

/** When it is, epoch milliseconds, and what that means. */
export interface Moment extends Pick<AlertPolicy, 'afterMs' | 'repeatMs'> {
  now: number
}

/**
 * Takes in what is true now.
 *
 * @param alerts  as they were
 * @param seen    every condition there is now, of those that these alerts are about
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

/** What a receiver is to be told, the oldest alert first. */
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

/** Notes that a receiver was told something, at `at`, epoch milliseconds. */
export function tell (alerts: readonly Alert[], { notice, alert }: DueNotice, { receiver, at }: { receiver: string, at: number }): Alert[] {
  return alerts.map(other => keyOf(other) === keyOf(alert)
    ? { ...other, told: { ...other.told, [receiver]: { notice, at } } }
    : other)
}

/**
 * Drops what is over and of which nobody has still to be told.
 *
 * @param receivers  that there are now: one that was taken out of the configuration is waited for no more
 */
export function forget (alerts: readonly Alert[], receivers: readonly string[], { now, afterMs }: Moment): Alert[] {
  return alerts.filter(({ endedAt, told }) => {
    if (endedAt === null || now - endedAt < afterMs) return true
    return receivers.some(receiver => told[receiver] !== undefined && told[receiver].notice !== 'resolved')
  })
}

/** Of the same name, about the same subscriber: the same alert. */
function keyOf ({ name, subscriber }: Pick<Condition, 'name' | 'subscriber'>): string {
  return `${name} ${subscriber ?? ''}`
}
