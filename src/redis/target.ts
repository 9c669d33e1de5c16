/**
 * Which Redis: the four kinds of address, and how each may be shown.
 *
 * Every text about an address leaves out its credentials, so that it may be in a
 * log, a fact or an error.
 */
import type { RedisSettings } from '../config/config.js'
import { RelayError } from '../model/errors.js'
import type { ClientTls } from '../model/subscriber.js'

/** Credentials; each part is absent if it is not needed. Secrets: never shown. */
export interface RedisAccess {
  username?: string
  password?: string
  /** `{}` is TLS checked against the system's certificate authorities. */
  tls?: ClientTls
}

/** Nodes are `host` or `host:port`, IPv6 in brackets. */
export type RedisTarget =
  | { kind: 'socket', path: string }
  | { kind: 'single', url: string } & RedisAccess
  | { kind: 'sentinel', name: string, nodes: readonly string[] } & RedisAccess
  | { kind: 'cluster', nodes: readonly string[] } & RedisAccess

/** The part of the `redis` block that names the address. */
type RedisPlace = Pick<RedisSettings, 'url' | 'sentinel' | 'cluster' | 'username' | 'password' | 'tls'>

/**
 * The target that the configuration names.
 *
 * @returns `null` if it names none: the gateway starts a managed Redis
 */
export function targetFrom (settings: RedisPlace): RedisTarget | null {
  const access = accessFrom(settings)
  if (settings.url !== null && settings.url !== '') return { kind: 'single', url: settings.url, ...access }
  if (settings.sentinel !== null) return { kind: 'sentinel', ...settings.sentinel, ...access }
  if (settings.cluster !== null) return { kind: 'cluster', ...settings.cluster, ...access }
  return null
}

function accessFrom ({ username, password, tls }: RedisPlace): RedisAccess {
  return {
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    ...(tls === null || tls.enabled === false ? {} : { tls: pemsOf(tls) })
  }
}

/** Only the PEM texts that exist. */
export function pemsOf ({ ca, cert, key }: ClientTls): ClientTls {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key })
  }
}

/** A `redis.url` in its parts. */
export interface RedisAddress {
  /** A unix socket instead of host and port. */
  path: string | null
  host: string
  port: number
  /** Database number, 0 unless the URL has another. */
  db: number
  username: string | null
  password: string | null
  /** The scheme was `rediss:`. */
  encrypted: boolean
}

const SCHEMES = ['redis:', 'rediss:', 'unix:']

/**
 * Separates `redis://[user[:password]@]host[:port][/db]` into its parts; also
 * `rediss://` (TLS) and `unix:///path`.
 *
 * @throws RelayError CONFIG_INVALID; its message does not contain the URL, which may hold a password
 */
export function parseRedisUrl (text: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : null
  const db = url?.protocol === 'unix:' ? 0 : Number(url?.pathname.slice(1))
  if (url === null || !SCHEMES.includes(url.protocol) || !Number.isInteger(db) || db < 0) {
    throw new RelayError('CONFIG_INVALID',
      'redis.url is not an address of Redis: write redis://host:6379/0, rediss://host:6379/0 or unix:///path/to/socket')
  }
  return {
    path: url.protocol === 'unix:' ? decodeURIComponent(url.pathname) : null,
    host: url.hostname === '' ? '127.0.0.1' : bare(url.hostname),
    port: url.port === '' ? 6379 : Number(url.port),
    db,
    username: url.username === '' ? null : decodeURIComponent(url.username),
    password: url.password === '' ? null : decodeURIComponent(url.password),
    encrypted: url.protocol === 'rediss:'
  }
}

/**
 * Separates `host`, `host:port` or `[v6]:port` into its parts.
 *
 * @throws RelayError CONFIG_INVALID
 */
export function parseNode (text: string, defaultPort: number): { host: string, port: number } {
  const parts = /^(\[[^\]]+\]|[^:[\]@/\s]+)(?::(\d{1,5}))?$/.exec(text)
  if (parts === null) {
    throw new RelayError('CONFIG_INVALID', 'a node of redis.sentinel or redis.cluster is not host:port')
  }
  return { host: bare(parts[1]!), port: parts[2] === undefined ? defaultPort : Number(parts[2]) }
}

function bare (host: string): string {
  return host.replace(/^\[|\]$/g, '')
}

/** The address as people may see it, without credentials. */
export function describeTarget (target: RedisTarget): string {
  if (target.kind === 'socket') return `unix:${target.path}`
  if (target.kind === 'sentinel') return `sentinel ${target.name} (${target.nodes.join(', ')})`
  if (target.kind === 'cluster') return `cluster (${target.nodes.join(', ')})`
  const { path, host, port, encrypted } = parseRedisUrl(target.url)
  if (path !== null) return `unix:${path}`
  return `${encrypted ? 'rediss' : 'redis'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
