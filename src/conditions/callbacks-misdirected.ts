/** Listed addresses sent what was refused before its content was looked at: each may have been a callback. */
import type { Hint } from '../model/fact.js'
import type { ConditionRule, Misdirection } from './condition.js'

/** What was wrong, by the reason in the fact. */
const REASONS: Readonly<Record<string, string>> = {
  path: 'asked for another path than ingest.path',
  method: 'used another method than POST',
  rate: 'came faster than ingest.rateLimit allows',
  headers: 'had too many headers, too large ones, or not exactly one Host',
  'not-http': 'was no complete HTTP request'
}

/** What it looks like, and what to do. */
const HINTS: Readonly<Record<Hint, string>> = {
  slashes: 'a slash too many or too few: correct the URL that Fotor posts to',
  spelling: 'other letters or percent-encoding: correct the URL that Fotor posts to',
  segment: 'another last segment: is the URL that Fotor posts to from before a change of ingest.path?',
  tls: 'TLS: configure ingest.tls, or end TLS in front',
  'no-tls': 'no TLS: the URL that Fotor posts to must begin with https',
  'proxy-protocol': 'the PROXY protocol: switch it off in the balancer',
  'two-lengths': 'both Content-Length and Transfer-Encoding: correct the proxy'
}

export const callbacksMisdirected: ConditionRule = {
  name: 'callbacks-misdirected',
  severity: 'warning',
  of: 'replica',
  isReason: false,
  find ({ misdirected }) {
    const requests = misdirected.reduce((sum, { count }) => sum + count, 0)
    if (requests === 0) return []
    const ways = [...misdirected].sort((one, other) => other.count - one.count).map(describe)
    return [{
      summary: `${requests === 1 ? 'a request' : `each of ${requests} requests`} from listed addresses was refused and may have been a callback: ${ways.join('; ')}`,
      figures: { requests }
    }]
  }
}

function describe ({ reason, hint, count }: Misdirection): string {
  return `${count} ${REASONS[reason] ?? reason}${hint === null ? '' : ` (${HINTS[hint]})`}`
}
