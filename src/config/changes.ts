/**
 * The differences between two configurations, in the names of the YAML. Says
 * where, never what: any value may be a secret.
 */
import type { Config } from './config.js'
import { yamlName } from './yaml-names.js'

/**
 * @returns paths such as `dedupe.window` or `subscribers.billing.url`, and
 *          `subscribers.orders added`, `ingest.tls removed`; empty if nothing
 *          differs
 */
export function changesBetween (before: Config, after: Config): string[] {
  return changesAt(comparable(before), comparable(after), '')
}

/** The form in which configurations are compared: tokens, receivers and subscribers by name, so that their order does not matter; `delivery` only as part of each subscriber. */
export function comparable (config: Config): Record<string, unknown> {
  const { asWritten: _asWritten, delivery: _delivery, admin, alerts, subscribers, ...rest } = config
  const named = <T extends { name: string }>(list: readonly T[]): Record<string, T> =>
    Object.fromEntries(list.map(entry => [entry.name, entry]))
  const unshown = <T extends { name: string, shownUrl: string }>(list: readonly T[]): Record<string, Omit<T, 'shownUrl'>> =>
    named(list.map(({ shownUrl: _shown, ...entry }) => entry as Omit<T, 'shownUrl'> & { name: string }))
  return {
    ...rest,
    admin: { ...admin, tokens: named(admin.tokens) },
    alerts: { ...alerts, receivers: unshown(alerts.receivers) },
    subscribers: unshown(subscribers)
  }
}

function changesAt (before: unknown, after: unknown, path: string): string[] {
  if (isBlock(before) && isBlock(after)) {
    if (typeof before.kind === 'string' && before.kind !== after.kind) return [path]
    const names = new Set([...Object.keys(before), ...Object.keys(after)])
    return [...names].flatMap(name => changesAt(before[name], after[name], path === '' ? yamlName(name) : `${path}.${yamlName(name)}`))
  }
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  if (isBlock(after) && isNothing(before)) return [`${path} added`]
  if (isBlock(before) && isNothing(after)) return [`${path} removed`]
  return [path]
}

function isBlock (value: unknown): value is Record<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject && !('host' in value)
}

function isNothing (value: unknown): boolean {
  return value === undefined || value === null
}
