/**
 * What one entry of the configuration demands of another: names that must
 * differ, keys that go together, a listener that needs a token.
 *
 * Looks at settings that may have holes where something could not be read, so
 * that these faults are listed together with all the others.
 */
import { createSecureContext } from 'node:tls'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { formatAddress, unnamedToken, type ListenAddress } from './config.js'
import { headerProblems } from './header-rules.js'
import type { PlacedRefusal } from './fault.js'
import type { Settings } from './schema.js'
import { TOKEN_BOUNDS, TOKEN_HINT } from './secret-kinds.js'
import { formatSize } from './size.js'
import type { Path } from './written.js'

/** Settings that may lack anything anywhere. */
export type Draft<T> = T extends ListenAddress ? T
  : T extends ReadonlyArray<infer E> ? Array<Draft<E> | undefined>
    : T extends object ? { [K in keyof T]?: Draft<T[K]> | undefined } : T

type Rule = (settings: Draft<Settings>) => PlacedRefusal[]

const RULES: readonly Rule[] = [
  adminNeedsToken, tokensAreLong, listenersDiffer, tokenNamesDiffer, tokenValuesDiffer, oneRedis, replicasNeedExternalRedis,
  spoolHoldsCallbacks, tlsOfListener, tlsOfRedis, subscriberNamesDiffer, tlsOfSubscribers, headersOfSubscribers,
  receiverNamesDiffer, tlsOfReceivers, headersOfReceivers
]

/** Everything that does not go together. */
export function problemsBetween (settings: Draft<Settings>): PlacedRefusal[] {
  return RULES.flatMap(rule => rule(settings))
}

function adminNeedsToken ({ admin }: Draft<Settings>): PlacedRefusal[] {
  if (admin?.listen === undefined || isLoopback(admin.listen.host) || admin.tokens?.length !== 0) return []
  return [{
    path: ['admin', 'tokens'],
    problem: `must name a token, because admin.listen, ${formatAddress(admin.listen)}, is not loopback`,
    hint: `write tokens: ["\${RELAY_ADMIN_TOKEN}"], or listen on 127.0.0.1:${admin.listen.port}`,
    at: { path: ['admin', 'listen'], on: 'value' }
  }]
}

function tokensAreLong ({ admin }: Draft<Settings>): PlacedRefusal[] {
  const { listen, tokens = [] } = admin ?? {}
  if (listen === undefined || isLoopback(listen.host)) return []
  return tokens.flatMap((token, at) => {
    const [value, path] = typeof token === 'object' ? [token.value, ['admin', 'tokens', at, 'value']] : [token, ['admin', 'tokens', at]]
    if (value === undefined || value.length >= TOKEN_BOUNDS.least) return []
    return [{ path, problem: `has fewer than ${TOKEN_BOUNDS.least} characters, and admin.listen, ${formatAddress(listen)}, is not loopback`, hint: TOKEN_HINT }]
  })
}

/** Whether only programs on this machine can reach a host. */
export function isLoopback (host: string): boolean {
  return host === 'localhost' || (isIP(host) !== 0 && ipaddr.process(host).range() === 'loopback')
}

function listenersDiffer ({ ingest, admin }: Draft<Settings>): PlacedRefusal[] {
  const [one, other] = [ingest?.listen, admin?.listen]
  if (one === undefined || other === undefined || one.port === 0 || one.port !== other.port) return []
  const everywhere = (host: string): boolean => host === '0.0.0.0' || host === '::'
  if (one.host !== other.host && !everywhere(one.host) && !everywhere(other.host)) return []
  return [{ path: ['admin', 'listen'], problem: `uses the port of ingest.listen, ${one.port}`, hint: 'give each listener its own port' }]
}

function tokenNamesDiffer ({ admin }: Draft<Settings>): PlacedRefusal[] {
  const names = (admin?.tokens ?? []).map((token, at) => typeof token === 'string' ? unnamedToken(at) : token?.name)
  return repeats(names).map(({ at, first }) => ({
    path: ['admin', 'tokens', at, 'name'], problem: `is also the name of admin.tokens[${first}]`, hint: 'give each token its own name'
  }))
}

function tokenValuesDiffer ({ admin }: Draft<Settings>): PlacedRefusal[] {
  const values = (admin?.tokens ?? []).map(token => typeof token === 'object' ? token.value : token)
  return repeats(values).map(({ at, first }) => ({
    path: ['admin', 'tokens', at], problem: `is the same token as admin.tokens[${first}]`, hint: 'give each user a token of their own'
  }))
}

function subscriberNamesDiffer ({ subscribers = [] }: Draft<Settings>): PlacedRefusal[] {
  return namesDiffer(subscribers, ['subscribers'], 'subscriber')
}

function receiverNamesDiffer ({ alerts }: Draft<Settings>): PlacedRefusal[] {
  return namesDiffer(alerts?.receivers ?? [], ['alerts', 'receivers'], 'receiver')
}

function namesDiffer (list: ReadonlyArray<{ name?: string | undefined } | undefined>, path: Path, kind: string): PlacedRefusal[] {
  return repeats(list.map(entry => entry?.name)).map(({ at, first }) => ({
    path: [...path, at, 'name'], problem: `is also the name of ${path.join('.')}[${first}]`, hint: `give each ${kind} its own name`
  }))
}

/** The entries that stand in the list before, with the first of their kind. */
function repeats (list: ReadonlyArray<string | undefined>): Array<{ at: number, first: number }> {
  return list
    .map((entry, at) => ({ at, first: list.indexOf(entry), entry }))
    .filter(({ at, first, entry }) => entry !== undefined && first < at)
}

function replicasNeedExternalRedis ({ redis = {} }: Draft<Settings>): PlacedRefusal[] {
  const { url, sentinel, cluster, waitReplicas = 0 } = redis
  const isExternal = (url !== undefined && url !== '') || sentinel !== undefined || cluster !== undefined
  if (waitReplicas === 0 || isExternal) return []
  return [{ path: ['redis', 'waitReplicas'], problem: 'is only for an external Redis: the gateway\'s own server has no replicas', hint: 'remove it, or configure a Redis that has replicas' }]
}

function oneRedis ({ redis = {} }: Draft<Settings>): PlacedRefusal[] {
  const { url, sentinel, cluster } = redis
  const named = Object.entries({ url: url === '' ? undefined : url, sentinel, cluster })
    .filter(([, address]) => address !== undefined).map(([key]) => key)
  return named.slice(1).map(key => ({
    path: ['redis', key], problem: `cannot be set together with redis.${named[0]}`, hint: 'use one of url, sentinel and cluster'
  }))
}

function spoolHoldsCallbacks ({ spool, ingest }: Draft<Settings>): PlacedRefusal[] {
  const [most, one] = [spool?.maxBytes, ingest?.maxBody]
  if (spool?.enabled !== true || most === undefined || one === undefined || most > one) return []
  return [{
    path: ['spool', 'maxBytes'],
    problem: `is too small for the largest callback that ingest.maxBody allows, ${formatSize(one)}`,
    hint: `write more than ${formatSize(one)}, or allow less`
  }]
}

interface TlsFiles {
  caFile?: string | undefined
  certFile?: string | undefined
  keyFile?: string | undefined
}

function tlsOfListener ({ ingest }: Draft<Settings>): PlacedRefusal[] {
  const { tls } = ingest ?? {}
  if (tls === undefined) return []
  const path = ['ingest', 'tls']
  if (!('certFile' in tls) && !('keyFile' in tls)) return [{ path, problem: 'needs certFile and keyFile' }]
  return tlsProblems(tls, path)
}

function tlsOfRedis ({ redis }: Draft<Settings>): PlacedRefusal[] {
  return typeof redis?.tls === 'object' ? tlsProblems(redis.tls, ['redis', 'tls']) : []
}

function tlsOfSubscribers ({ subscribers = [] }: Draft<Settings>): PlacedRefusal[] {
  return subscribers.flatMap((subscriber, at) => tlsProblems(subscriber?.tls ?? {}, ['subscribers', at, 'tls']))
}

function tlsOfReceivers ({ alerts }: Draft<Settings>): PlacedRefusal[] {
  return (alerts?.receivers ?? []).flatMap((receiver, at) => tlsProblems(receiver?.tls ?? {}, ['alerts', 'receivers', at, 'tls']))
}

/** A file that is named and cannot be read is there as `undefined`; that has been said already. */
function tlsProblems (files: TlsFiles, path: Path): PlacedRefusal[] {
  if ('certFile' in files !== 'keyFile' in files) {
    const [there, missing] = 'certFile' in files ? ['certFile', 'keyFile'] : ['keyFile', 'certFile']
    return [{ path: [...path, missing], problem: `is missing beside ${there}`, at: { path: [...path, there], on: 'key' } }]
  }
  const { caFile, certFile, keyFile } = files
  if ((certFile === undefined) !== (keyFile === undefined)) return []
  try {
    createSecureContext({ ca: caFile, cert: certFile, key: keyFile })
    return []
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no code'
    const problem = code.includes('KEY_VALUES_MISMATCH')
      ? 'has a certFile and a keyFile that do not belong together'
      : `has files that TLS does not accept (${code})`
    return [{ path, problem }]
  }
}

function headersOfSubscribers ({ subscribers = [] }: Draft<Settings>): PlacedRefusal[] {
  return subscribers.flatMap((subscriber, at) => headerProblems(Object.keys(subscriber?.headers ?? {}), ['subscribers', at, 'headers']))
}

function headersOfReceivers ({ alerts }: Draft<Settings>): PlacedRefusal[] {
  return (alerts?.receivers ?? []).flatMap((receiver, at) => headerProblems(Object.keys(receiver?.headers ?? {}), ['alerts', 'receivers', at, 'headers']))
}
