/**
 * What the public endpoint goes by, read again at every request, so that a
 * reload takes effect with the next callback.
 *
 * Parsing ranges at every request would cost more than the rest of the checks,
 * so a policy is compiled once per object: hand out a new object when something
 * changes, never change one in place.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import type { IngestConfig } from '../config/config.js'
import { plainPath } from './path.js'
import { isIn, parseAddress, parseRange, type Range } from './source-address.js'

/** The reloadable part of `ingest` in the configuration. */
export type IngestPolicy = Readonly<Omit<IngestConfig, 'listen' | 'tls'>>

export interface CompiledPolicy extends IngestPolicy {
  readonly allowed: readonly Range[]
  readonly trusted: readonly Range[]
  /** Whether this is the path served, in a time that tells nothing of how much of it was right. */
  isPath (path: string): boolean
}

const compiledPolicies = new WeakMap<IngestPolicy, CompiledPolicy>()

/**
 * Compiles a policy, or finds the result of the last time.
 *
 * @throws RangeError for an address that is none; configuration has refused those before
 */
export function compilePolicy (policy: IngestPolicy): CompiledPolicy {
  const known = compiledPolicies.get(policy)
  if (known !== undefined) return known
  const pathDigest = digestOf(plainPath(policy.path))
  const compiled: CompiledPolicy = {
    ...policy,
    allowed: policy.allowFrom.map(parseRange),
    trusted: policy.trustedProxies.map(parseRange),
    isPath: path => timingSafeEqual(digestOf(plainPath(path)), pathDigest)
  }
  compiledPolicies.set(policy, compiled)
  return compiled
}

/**
 * Who is at the other end of a connection, before it has named a client behind
 * it: `expected` is on the list or a trusted proxy, `unlisted` is let in all the
 * same, by monitor mode, `denied` is not.
 */
export type Peer = 'expected' | 'unlisted' | 'denied'

/** Judges the other end of a connection. A policy that cannot be read denies everybody; the requests say why. */
export function peerOf (remoteAddress: string | undefined, policy: () => IngestPolicy): Peer {
  const address = parseAddress(remoteAddress ?? '')
  try {
    const { allowed, trusted, allowlist } = compilePolicy(policy())
    if (isIn(allowed, address) || isIn(trusted, address)) return 'expected'
    return allowlist === 'monitor' ? 'unlisted' : 'denied'
  } catch {
    return 'denied'
  }
}

function digestOf (path: string): Buffer {
  return hash('sha256', path, 'buffer')
}
