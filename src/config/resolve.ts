/**
 * From settings, as the file names them, to the configuration, as the gateway
 * uses it: units into the names, `delivery` into every subscriber.
 *
 * Only for settings without faults. Knows no default of its own.
 */
import { resolve as absolute } from 'node:path'
import type { Receiver } from '../model/alert.js'
import type { BreakerRules } from '../model/breaker.js'
import { maskUrl, type ClientTls, type RetryPolicy, type Subscriber } from '../model/subscriber.js'
import { unnamedToken, type Config, type IngestConfig, type RedisSettings, type ServerTls, type SpoolConfig, type Token } from './config.js'
import { withoutCredentials } from './mask.js'
import { readSettings } from './read-settings.js'
import { backoff, DEFAULT_ROLE, type BackoffSettings, type Settings } from './schema.js'
import { shapeOf } from './shape.js'
import { writtenOf } from './written.js'

/** Settings to configuration; `dataDir` starts at the working directory. */
export function resolveConfig (settings: Settings, asWritten: ReadonlyMap<string, string>): Config {
  const { dedupe, admin, retention, alerts } = settings
  return {
    ingest: ingestOf(settings.ingest),
    dedupe: { windowMs: dedupe.window, onConflict: dedupe.onConflict, onLate: dedupe.onLate, ignoreFields: dedupe.ignoreFields, claimsMemoryBytes: dedupe.claimsMemory ?? null },
    admin: { listen: admin.listen, tokens: admin.tokens.map(tokenOf) },
    redis: redisOf(settings.redis),
    dataDir: absolute(settings.dataDir),
    spool: spoolOf(settings.spool),
    retention: {
      eventsMs: retention.events, failedMs: retention.failed, quarantineMs: retention.quarantine, auditMs: retention.audit
    },
    delivery: deliveryOf(settings.delivery),
    subscribers: settings.subscribers.map((subscriber, at) => subscriberOf(subscriber, settings.delivery, asWritten.get(`subscribers[${at}].url`))),
    alerts: {
      afterMs: alerts.after,
      repeatMs: alerts.repeat,
      receivers: alerts.receivers.map((receiver, at) => receiverOf(receiver, asWritten.get(`alerts.receivers[${at}].url`)))
    },
    shutdownDelayMs: settings.shutdownDelay,
    shutdownGraceMs: settings.shutdownGrace,
    log: settings.log,
    asWritten
  }
}

function ingestOf (ingest: Settings['ingest']): IngestConfig {
  const { maxBody, rateLimit, tls, ...same } = ingest
  return {
    ...same,
    maxBodyBytes: maxBody,
    rateLimit: { max: rateLimit.max, perMs: rateLimit.per, store: rateLimit.store },
    tls: tls === undefined ? null : serverTlsOf(tls)
  }
}

/** Both are there: a rule of `rules` says so. */
function serverTlsOf ({ certFile = '', keyFile = '' }: NonNullable<Settings['ingest']['tls']>): ServerTls {
  return { cert: certFile, key: keyFile }
}

/** A token as the gateway uses it; one without a name is called after its place in the list, from 0. */
export function tokenOf (token: Settings['admin']['tokens'][number], at: number): Token {
  return typeof token === 'string' ? { name: unnamedToken(at), value: token, role: DEFAULT_ROLE } : token
}

function redisOf ({ url, sentinel, cluster, username, password, tls, prefix, maxMemory, keepRunning, waitReplicas }: Settings['redis']): RedisSettings {
  return {
    url: textOrNull(url),
    sentinel: sentinel ?? null,
    cluster: cluster ?? null,
    username: textOrNull(username),
    password: textOrNull(password),
    tls: redisTlsOf(tls),
    prefix,
    maxMemoryBytes: maxMemory ?? null,
    keepRunning,
    waitReplicas
  }
}

function redisTlsOf (tls: Settings['redis']['tls']): RedisSettings['tls'] {
  if (tls === undefined) return null
  return typeof tls === 'boolean' ? { enabled: tls } : { enabled: tls.enabled, ...clientTlsOf(tls) }
}

function spoolOf ({ enabled, dir, maxBytes }: Settings['spool']): SpoolConfig {
  return { enabled, dir: dir === undefined ? null : absolute(dir), maxBytes }
}

function textOrNull (text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text
}

function deliveryOf ({ timeout, retry, maxAge, throttleMax, maxBacklog, concurrency, breaker }: Settings['delivery']): Config['delivery'] {
  return {
    timeoutMs: timeout,
    retry: retryOf(retry, retry),
    maxAgeMs: maxAge,
    throttleMaxMs: throttleMax,
    maxBacklog: maxBacklog ?? null,
    concurrency,
    breaker: breakerOf(breaker)
  }
}

function breakerOf ({ enabled, share, failures, window, openFor, maxOpenFor }: Settings['delivery']['breaker']): BreakerRules | null {
  return enabled ? { share, failures, windowMs: window, openForMs: openFor, maxOpenForMs: Math.max(openFor, maxOpenFor) } : null
}

type SubscriberSettings = Settings['subscribers'][number]

/** @param urlSource  the URL as it stands in the file, when any of it came from outside */
function subscriberOf (subscriber: SubscriberSettings, delivery: Settings['delivery'], urlSource: string | undefined): Subscriber {
  const { name, url, match, headers, secrets, rateLimit, tls, enabled } = subscriber
  return {
    name,
    url,
    shownUrl: shownUrlOf(url, urlSource),
    match,
    headers,
    secrets,
    rateLimit: rateLimit === undefined ? null : { max: rateLimit.max, perMs: rateLimit.per },
    concurrency: subscriber.concurrency ?? delivery.concurrency,
    timeoutMs: subscriber.timeout ?? delivery.timeout,
    retry: retryOf(subscriber.retry ?? delivery.retry, delivery.retry),
    maxAgeMs: subscriber.maxAge ?? delivery.maxAge,
    throttleMaxMs: subscriber.throttleMax ?? delivery.throttleMax,
    maxBacklog: subscriber.maxBacklog ?? delivery.maxBacklog ?? null,
    breaker: breakerOf({ ...delivery.breaker, ...subscriber.breaker }),
    tls: clientTlsOrNull(tls),
    enabled
  }
}

/** @param urlSource  the URL as it stands in the file, when any of it came from outside */
function receiverOf ({ name, url, headers, secrets, tls }: Settings['alerts']['receivers'][number], urlSource: string | undefined): Receiver {
  return { name, url, shownUrl: shownUrlOf(url, urlSource), headers, secrets, tls: clientTlsOrNull(tls) }
}

function shownUrlOf (url: string, urlSource: string | undefined): string {
  return urlSource === undefined ? maskUrl(url) : withoutCredentials(urlSource)
}

/** What a subscriber's own backoff leaves out comes from `delivery.retry`, or from the schema when that is a list. */
function retryOf (retry: number[] | Partial<BackoffSettings>, byDefault: Settings['delivery']['retry']): RetryPolicy {
  const rest = Array.isArray(byDefault) ? schemaBackoff() : byDefault
  if (Array.isArray(retry)) return { kind: 'list', waitsMs: retry, maxMs: schemaBackoff().max }
  const { attempts, initial, factor, max, jitter } = { ...rest, ...retry }
  return { kind: 'backoff', attempts, initialMs: initial, factor, maxMs: max, jitter }
}

function schemaBackoff (): BackoffSettings {
  const nowhere = { env: {}, readFile: () => ({ problem: 'does not exist' }) }
  return readSettings(shapeOf(backoff), writtenOf({}), nowhere).value as BackoffSettings
}

function clientTlsOrNull (tls: SubscriberSettings['tls']): ClientTls | null {
  return tls === undefined || Object.keys(tls).length === 0 ? null : clientTlsOf(tls)
}

function clientTlsOf ({ caFile, certFile, keyFile }: NonNullable<SubscriberSettings['tls']>): ClientTls {
  return {
    ...(caFile === undefined ? {} : { ca: caFile }),
    ...(certFile === undefined ? {} : { cert: certFile }),
    ...(keyFile === undefined ? {} : { key: keyFile })
  }
}
