/**
 * The configuration as the gateway uses it: checked, defaults filled in,
 * durations in milliseconds, sizes in bytes, files read. The YAML file is one
 * way to write it (see `schema`); names here are the names there, with the
 * unit at the end.
 */
import type { AlertPolicy } from '../model/alert.js'
import type { DedupePolicy } from '../model/dedupe.js'
import type { Subscriber } from '../model/subscriber.js'

/** Where to listen. */
export interface ListenAddress {
  /** A name or an address; IPv6 without brackets. */
  host: string
  /** 0–65535; 0 takes any free port. */
  port: number
}

export type TokenRole = 'operator' | 'viewer'

/** A bearer token of the admin API. */
export interface Token {
  /** Unique; stands in the audit. `token-1`, `token-2`, … when the file gives none. */
  name: string
  /** Secret. */
  value: string
  /** A viewer may read, an operator may do everything. */
  role: TokenRole
}

/** Certificate and key of the public listener, as PEM texts. */
export interface ServerTls {
  cert: string
  key: string
}

/** How to speak TLS to Redis; PEM texts. */
export interface RedisTls {
  enabled: boolean
  ca?: string
  cert?: string
  key?: string
}

/** At most one of `url`, `sentinel` and `cluster` is set; with none, the gateway starts its own server. */
export interface RedisSettings {
  /** `redis://`, `rediss://` or `unix:///path`; may hold a password: show `maskUrl(url)`. */
  url: string | null
  /** `nodes` are `host:port`. */
  sentinel: { name: string, nodes: string[] } | null
  cluster: { nodes: string[] } | null
  username: string | null
  /** Secret. */
  password: string | null
  tls: RedisTls | null
  /** Without braces. */
  prefix: string
  /** The most that the data of the gateway's own server may take; `null` for half of the memory that there is. */
  maxMemoryBytes: number | null
  /** The gateway's own server outlives a stop of the gateway. */
  keepRunning: boolean
  /** Replicas that must have what was accepted before it is acknowledged. */
  waitReplicas: number
}

export interface IngestConfig {
  listen: ListenAddress
  /** Starts with `/`; may hold a secret segment. */
  path: string
  /** Addresses and CIDR ranges, v4 and v6. */
  allowFrom: string[]
  allowlist: 'enforce' | 'monitor'
  /** Addresses and CIDR ranges, v4 and v6. */
  trustedProxies: string[]
  maxBodyBytes: number
  rateLimit: { max: number, perMs: number, store: 'local' | 'redis' }
  tls: ServerTls | null
}

/** Callbacks on the local disk, while Redis is away. */
export interface SpoolConfig {
  enabled: boolean
  /** Absolute; `null` for the folder `spool` in `dataDir`. */
  dir: string | null
  maxBytes: number
}

export interface Config {
  ingest: IngestConfig
  dedupe: DedupePolicy & {
    /** What claims of deleted events may take in Redis; `null` for a quarter of its memory. */
    claimsMemoryBytes: number | null
  }
  admin: { listen: ListenAddress, tokens: Token[] }
  redis: RedisSettings
  /** Absolute. */
  dataDir: string
  spool: SpoolConfig
  retention: { eventsMs: number, failedMs: number, quarantineMs: number, auditMs: number }
  /** What a subscriber has that says nothing else. */
  delivery: Pick<Subscriber, 'timeoutMs' | 'retry' | 'maxAgeMs' | 'throttleMaxMs' | 'maxBacklog' | 'concurrency' | 'breaker'>
  /** With the defaults of `delivery` filled in; in the order of the file. */
  subscribers: Subscriber[]
  alerts: AlertPolicy
  shutdownDelayMs: number
  shutdownGraceMs: number
  log: { level: string }
  /**
   * The values that came from `${…}`, by path in the YAML, as they stand in
   * the file: to be shown in place of what they became, which may be secret.
   */
  asWritten?: ReadonlyMap<string, string>
}

/** An address as people write it: `127.0.0.1:8081`, `[::]:8080`. */
export function formatAddress ({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** The name of a token that the file gives none: by its place in the list, from 0. */
export function unnamedToken (at: number): string {
  return `token-${at + 1}`
}
