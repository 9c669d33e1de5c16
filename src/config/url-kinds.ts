/**
 * Reads URLs. None is ever shown: they may contain passwords and tokens.
 */
import type { Reading } from './reading.js'

/** Reads the URL of a subscriber: http or https. */
export function readHttpUrl (written: string): Reading<string> {
  return readUrl(written, ['http:', 'https:'], 'write an address such as http://billing.internal:9001/hooks/fotor')
}

/** Reads the URL of Redis: `redis://`, `rediss://` or `unix:///absolute/path`; empty means none. */
export function readRedisUrl (written: string): Reading<string> {
  if (written === '') return { value: '' }
  if (/^unix:/i.test(written)) return readSocketUrl(written)
  return readUrl(written, ['redis:', 'rediss:'], 'write an address such as redis://localhost:6379, rediss://… for TLS, or unix:///path/to/socket')
}

/** Three slashes: no host, and a path from the root. */
function readSocketUrl (written: string): Reading<string> {
  if (/^unix:\/\/\/[^\s/?#][^\s?#]*$/.test(written) && URL.canParse(written)) return { value: written }
  return { problem: 'is not the absolute path of a socket', hint: 'write unix:///path/to/socket' }
}

function readUrl (written: string, protocols: readonly string[], hint: string): Reading<string> {
  if (written === '') return { problem: 'is empty', hint }
  if (/\s/.test(written) || !URL.canParse(written)) return { problem: 'is not a URL', hint }
  const url = new URL(written)
  const wanted = protocols.map(protocol => `${protocol}//`).join(' or ')
  if (!protocols.includes(url.protocol) || !/^[a-z]+:\/\//i.test(written)) return { problem: `does not start with ${wanted}`, hint }
  if (url.hostname === '') return { problem: 'has no host', hint }
  return { value: written }
}
