/**
 * A subscriber: an internal service that wants events, as configured. Read from
 * the running configuration for each attempt; never stored in a job.
 */
import type { BreakerRules } from './breaker.js'
import type { Match } from './match.js'

/** When to retry. */
export type RetryPolicy =
  | {
    kind: 'backoff'
    /** Attempts of one generation, the first included; ≥ 1. */
    attempts: number
    /** Wait after the first failed attempt, milliseconds. */
    initialMs: number
    /** Factor between two waits; ≥ 1. */
    factor: number
    /** Maximum wait before jitter; also caps Retry-After. Milliseconds. */
    maxMs: number
    /** 0–1: each wait is changed at random by up to this share, up or down. */
    jitter: number
  }
  | {
    kind: 'list'
    /** One wait after each failed attempt but the last, milliseconds; so attempts = length + 1. */
    waitsMs: readonly number[]
    /** Caps Retry-After, milliseconds. */
    maxMs: number
  }

/** PEM texts, already read from their files. */
export interface ClientTls {
  ca?: string
  cert?: string
  key?: string
}

export interface Subscriber {
  /** `^[a-z][a-z0-9-]{0,62}$`, unique. */
  name: string
  /** http or https; may hold secrets: show `shownUrl`, never this. */
  url: string
  /** May be shown: `url` as written in the file if any part came from `${…}`, else `maskUrl(url)`. */
  shownUrl: string
  match: Match
  /** Sent with every delivery; may hold secrets. */
  headers: Readonly<Record<string, string>>
  /** `whsec_…`; every one signs. */
  secrets: readonly string[]
  /** Requests over all replicas; `null` is unlimited. */
  rateLimit: { max: number, perMs: number } | null
  /** Deliveries in flight over all replicas; ≥ 1. */
  concurrency: number
  /** From the start of an attempt to the end of its answer, milliseconds. */
  timeoutMs: number
  retry: RetryPolicy
  /** No retry is planned later than this after the delivery was queued, milliseconds; time on hold does not count. */
  maxAgeMs: number
  /** Maximum time for which an answer may throttle the other deliveries, milliseconds. */
  throttleMaxMs: number
  /** Of what waits for it, the oldest deliveries beyond this number fail; ≥ 1, `null` for no bound. */
  maxBacklog: number | null
  tls: ClientTls | null
  /** When its deliveries are held instead of attempted; `null` for never. */
  breaker: BreakerRules | null
  /** `false` records deliveries and holds them. */
  enabled: boolean
}

/** A URL that may be shown: credentials and every query value replaced by `***`. */
export function maskUrl (url: string): string {
  let parsed: URL
  try { parsed = new URL(url) } catch { return '***' }
  if (parsed.username !== '') parsed.username = '***'
  if (parsed.password !== '') parsed.password = '***'
  for (const name of [...parsed.searchParams.keys()]) parsed.searchParams.set(name, '***')
  return parsed.href.replaceAll('%2A%2A%2A', '***')
}
