/**
 * What an error of Redis or of its driver means: Redis is away for a while, or it
 * refuses us. All such errors are listed in this file only. No I/O.
 */

/** Answers that pass with time: Redis is starting, failing over, or unable to write. */
const PASSING = ['LOADING', 'READONLY', 'MASTERDOWN', 'CLUSTERDOWN', 'TRYAGAIN', 'NOREPLICAS', 'MISCONF', 'OOM', 'UNBLOCKED', 'EXECABORT']
/** Answers that need an operator: a password or an ACL is wrong. */
const REFUSING = ['NOAUTH', 'NOPERM', 'WRONGPASS']
/** Answers of a server that is no longer, or not yet, the primary. */
const NOT_PRIMARY = ['READONLY', 'LOADING', 'MASTERDOWN', 'UNBLOCKED']

const CODE = new RegExp(`^(${[...PASSING, ...REFUSING].join('|')})\\b`)
const SAYS_NOT_PRIMARY = new RegExp(`\\b(${NOT_PRIMARY.join('|')})\\b`)
/** Errors of the driver without a usable connection. */
const NOT_CONNECTED = /^(Connection is closed|Command timed out|Stream isn't writeable|Cluster is|Cluster isn't ready|None of startup nodes|Node is disconnected)/
const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN'])

/** Redis's own error code (`OOM`), `''` if there is none. Only this may be shown: the rest of an error can contain hosts and ports. */
export function redisCodeOf (error: unknown): string {
  return CODE.exec(error instanceof Error ? error.message : '')?.[1] ?? ''
}

/** Whether the error passes with time. */
export function isRedisAway (error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { name, message, code, syscall } = error as NodeJS.ErrnoException
  return name === 'MaxRetriesPerRequestError' || name === 'ClusterAllFailedError' ||
    NOT_CONNECTED.test(message) || PASSING.includes(redisCodeOf(error)) ||
    (syscall !== undefined && NETWORK.has(code ?? ''))
}

/** Whether a connection has reached the wrong server, and should look for the primary. */
export function isNotPrimary ({ message }: Error): boolean {
  return SAYS_NOT_PRIMARY.test(message)
}
