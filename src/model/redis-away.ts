/**
 * What an error of Redis, or of its driver, says: Redis is away for a while,
 * or it refuses us. Its words are listed here and nowhere else. No I/O.
 */

/** Answers that pass with time: Redis is starting, failing over, or unable to write. */
const PASSING = ['LOADING', 'READONLY', 'MASTERDOWN', 'CLUSTERDOWN', 'TRYAGAIN', 'NOREPLICAS', 'MISCONF', 'OOM', 'UNBLOCKED', 'EXECABORT']
/** Answers that need somebody: a password or an ACL is wrong. */
const REFUSING = ['NOAUTH', 'NOPERM', 'WRONGPASS']
/** Answers of a server that is no longer, or not yet, the primary. */
const NOT_PRIMARY = ['READONLY', 'LOADING', 'MASTERDOWN', 'UNBLOCKED']

const CODE = new RegExp(`^(${[...PASSING, ...REFUSING].join('|')})\\b`)
const SAYS_NOT_PRIMARY = new RegExp(`\\b(${NOT_PRIMARY.join('|')})\\b`)
/** What the driver says when there is no connection to use. */
const NOT_CONNECTED = /^(Connection is closed|Command timed out|Stream isn't writeable|Cluster is|Cluster isn't ready|None of startup nodes|Node is disconnected)/
const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOENT', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND', 'EAI_AGAIN'])

/**
 * What is said of an address where nobody takes connections. Of a node of a cluster, and of a sentinel, the driver
 * says no more than that it is closed; and nothing at all of sentinels that do not know the name.
 */
const NOT_REACHABLE = new RegExp([
  '\\b(ECONNREFUSED|ENOENT|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)\\b', 'Connection is closed', 'Retrying from scratch after \\d+ms\\.$'
].join('|'))

/** Redis's own word for what is wrong (`OOM`), `''` when it gives none. It may be shown; nothing else of an error may, it can name hosts and ports. */
export function redisCodeOf (error: unknown): string {
  return CODE.exec(error instanceof Error ? error.message : '')?.[1] ?? ''
}

/** Whether it passes with time. */
export function isRedisAway (error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { name, message, code, syscall } = error as NodeJS.ErrnoException
  return name === 'MaxRetriesPerRequestError' || name === 'ClusterAllFailedError' ||
    NOT_CONNECTED.test(message) || PASSING.includes(redisCodeOf(error)) ||
    (syscall !== undefined && NETWORK.has(code ?? ''))
}

/** Whether the words of an error say that nobody takes connections at an address: Redis is down, or the address is wrong. */
export function isNotReachable (message: string): boolean {
  return NOT_REACHABLE.test(message)
}

/** Whether a connection has found the wrong server, and should look for the primary. */
export function isNotPrimary ({ message }: Error): boolean {
  return SAYS_NOT_PRIMARY.test(message)
}
