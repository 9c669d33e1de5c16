/**
 * Reads the addresses of the configuration: where to listen, whom to allow, which
 * path to serve.
 */
import ipaddr from 'ipaddr.js'
import { isIP } from 'node:net'
import type { ListenAddress } from './config.js'
import type { Reading } from './reading.js'

const HOST_NAME = /^(?!-)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*$/

/**
 * Reads `127.0.0.1:8080`, `localhost:8080` or `[::]:8080`.
 *
 * @returns the host without brackets; port 0 is any free port
 */
export function readAddress (written: string | number | boolean): Reading<ListenAddress> {
  const hint = 'write host:port, such as 127.0.0.1:8081 or "[::]:8080"'
  if (typeof written === 'number') return { problem: 'has no host', hint: `write host:port, such as 0.0.0.0:${written}` }
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(String(written))
  if (parts === null) return { problem: 'is not host:port', hint }
  const [, v6, name, digits] = parts
  const port = Number(digits)
  if (port > 65_535) return { problem: 'has a port above 65535', hint }
  if (v6 !== undefined) return isIP(v6) === 6 ? { value: { host: v6, port } } : { problem: 'has no IPv6 address in its brackets', hint }
  if (!isHost(name!)) return { problem: 'has no usable host before its port', hint }
  return { value: { host: name!, port } }
}

/** A name, or four numbers; digits and dots alone must be an address. */
function isHost (name: string): boolean {
  return /^[\d.]+$/.test(name) ? isIP(name) === 4 : name.length <= 253 && HOST_NAME.test(name)
}

/** Reads the `host:port` of a Redis node. */
export function readNode (written: string): Reading<string> {
  const reading = readAddress(written)
  if ('problem' in reading) return reading
  if (reading.value.port === 0) return { problem: 'has port 0', hint: 'write the port that the node listens on' }
  return { value: written }
}

/** Reads one address or CIDR range, v4 or v6. */
export function readNetwork (written: string): Reading<string> {
  const isRange = written.includes('/')
  const four = isRange ? ipaddr.IPv4.isValidCIDRFourPartDecimal(written) : ipaddr.IPv4.isValidFourPartDecimal(written)
  const six = isRange ? ipaddr.IPv6.isValidCIDR(written) : ipaddr.IPv6.isValid(written)
  const isNetwork = (four || (six && written.includes(':'))) && !written.includes('%')
  if (!isNetwork) {
    return { problem: 'is not an address or a CIDR range', hint: 'write one such as 54.212.95.175, 10.0.0.0/8 or 2001:db8::/32' }
  }
  return { value: written }
}

/**
 * Reads the path that callbacks are posted to.
 *
 * Allows only characters that every proxy leaves unchanged, and none that the
 * router would read as a pattern: a `:` or `*` would open more than one path.
 */
export function readRoute (written: string): Reading<string> {
  if (!written.startsWith('/')) return { problem: 'does not start with /', hint: 'write a path such as /webhooks/fotor' }
  if (/[?#]/.test(written)) return { problem: 'has a ? or #', hint: 'write a path only; query strings are ignored' }
  if (!/^[A-Za-z0-9\-._~!$&'+,;=@/]{1,512}$/.test(written)) {
    return { problem: 'has characters that are not allowed in a path, or is too long', hint: "write up to 512 of A–Z, a–z, 0–9 and - . _ ~ ! $ & ' + , ; = @ /" }
  }
  const segments = written.slice(1).split('/')
  const odd = segments.some((segment, at) => segment === '.' || segment === '..' || (segment === '' && at < segments.length - 1))
  if (odd) return { problem: 'has an empty, . or .. segment', hint: 'write a path such as /webhooks/fotor' }
  return { value: written }
}
