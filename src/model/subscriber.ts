/**
 * A subscriber: an internal service that wants events, as configuration
 * describes it. Read at each attempt from the running configuration; nothing
 * of it is ever stored in a job.
 */
import type { BreakerRules } from './breaker.js'
import type { Match } from './match.js'

/** When to try again. */
export type RetryPolicy =
  | {
    kind: 'backoff'
    /** Attempts of one generation, the first included; ≥ 1. */
    attempts: number
    /** Wait after the first failed attempt, milliseconds. */
    initialMs: number
    /** Each wait is the one before times this; ≥ 1. */
    factor: number
    /** Waits grow up to this, before they are spread; also caps Retry-After. Milliseconds. */
    maxMs: number
    /** 0–1: each wait is spread evenly by this share to either side. */
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
  /** May be shown: `url` as the file has it when any of it came from `${…}`, else `maskUrl(url)`. */
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
  /** No retry is planned later than this after the queueing, milliseconds; time on hold does not count. */
  maxAgeMs: number
  /** How long an answer may keep its other deliveries waiting, milliseconds. */
  throttleMaxMs: number
  /** Of what waits for it, the oldest deliveries beyond this number fail; ≥ 1, `null` for no bound. */
  maxBacklog: number | null
  tls: ClientTls | null
  /** When its deliveries are held instead of burnt; `null` for never. */
  breaker: BreakerRules | null
  /** `false` keeps collecting deliveries and holds them. */
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
