/**
 * Wrong tokens, by where they came from: who tries more and more of them waits
 * longer and longer, whatever he presents meanwhile.
 *
 * A token that was tried before teaches nobody anything, so a program that goes
 * on with an old one shuts out nobody. Holds no token, only digests of those
 * that were none of ours, and no more sources than {@link MOST_SOURCES}.
 */
import { createHash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Different wrong tokens that cost nothing: mistakes. */
const FREE = 10
/** The wait after the next one; each more doubles it. */
const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 16_000
/** A source that tried nothing new for so long begins anew. */
const FORGOTTEN_AFTER_MS = 10 * 60_000
const MOST_SOURCES = 1_000
const MOST_DIGESTS = 1_000

export interface Guesses {
  /** Whole seconds for which this source must still wait; 0 when it may try. */
  waitSeconds: (source: string) => number
  /** Takes a wrong token; @returns whether it was a new one from there */
  take: (source: string, token: string) => boolean
}

interface Tried { digests: Set<string>, count: number, lastAt: number, waitsUntil: number }

/** @param clock  milliseconds */
export function createGuesses (clock: () => number = () => performance.now()): Guesses {
  const bySource = new Map<string, Tried>()

  function triedFrom (source: string): Tried {
    const known = bySource.get(source)
    if (known !== undefined && clock() - known.lastAt < FORGOTTEN_AFTER_MS) return known
    return { digests: new Set(), count: 0, lastAt: clock(), waitsUntil: -Infinity }
  }
  return {
    waitSeconds (source) {
      const { waitsUntil } = triedFrom(source)
      return Math.max(0, Math.ceil((waitsUntil - clock()) / 1_000))
    },
    take (source, token) {
      const tried = triedFrom(source)
      const digest = createHash('sha256').update(token).digest('base64')
      if (tried.digests.has(digest)) return false
      if (tried.digests.size >= MOST_DIGESTS) tried.digests.clear()
      tried.digests.add(digest)
      tried.count += 1
      tried.lastAt = clock()
      if (tried.count > FREE) tried.waitsUntil = clock() + Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tried.count - FREE - 1))
      bySource.delete(source) // the last to try stands last
      bySource.set(source, tried)
      if (bySource.size > MOST_SOURCES) bySource.delete(bySource.keys().next().value!)
      return true
    }
  }
}

/** Where a caller is: an IPv4 address, or the /64 that one host of IPv6 has to itself. */
export function sourceOf (remoteAddress = 'unknown'): string {
  const address = remoteAddress.replace(/%.*$/, '')
  if (!isIPv6(address)) return address
  const read = ipaddr.process(address)
  if (read.kind() === 'ipv4') return read.toString()
  return `${read.toNormalizedString().split(':').slice(0, 4).join(':')}::/64`
}
