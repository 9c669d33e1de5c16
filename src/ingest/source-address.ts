/**
 * Step 1 of the journey, its first question: who is calling?
 *
 *   X-Forwarded-For:  client, proxy, proxy   ◀── read from this end
 *
 * Each proxy appends the address it saw, so only the right end of the header
 * comes from somebody we trust. The search goes left while the hop that vouches
 * for the next entry is trusted, and stops at the first untrusted hop: entries
 * further left may be forged. Pure: no I/O.
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

export type Address = ipaddr.IPv4 | ipaddr.IPv6

/** An address block, ready to match. IPv4-mapped blocks are IPv4 blocks. */
export interface Range {
  network: Address
  /** Leading bits that count. */
  bits: number
}

export interface Source {
  /** Canonical text; `unknown` if it cannot be determined. */
  text: string
  /** `null` if it cannot be determined: it is in no range and never allowed. */
  address: Address | null
  /** X-Forwarded-For has more entries behind this address, which are not trusted. */
  hidesMore: boolean
}

const IPV4_BITS = 32
const IPV6_BITS = 128
/** Bits of `::ffff:0:0/96`, under which IPv4 addresses are mapped. */
const MAPPED_BITS = 96
/** A longer chain of proxies is an attempt to keep us busy. */
const MAX_HOPS = 32

const PRIVATE = new Set(['loopback', 'private', 'linkLocal', 'uniqueLocal', 'carrierGradeNat'])

/**
 * Reads an address or a CIDR block as configured.
 *
 * @throws RangeError if it is neither
 */
export function parseRange (text: string): Range {
  const [base = '', suffix, ...rest] = text.trim().split('/')
  const ip = parseIp(base)
  const width = ip === null || ip.kind() === 'ipv6' ? IPV6_BITS : IPV4_BITS
  const bits = suffix === undefined ? width : /^\d{1,3}$/.test(suffix) ? Number(suffix) : NaN
  if (ip === null || rest.length > 0 || !(bits <= width)) throw new RangeError(`Not an address or CIDR block: ${text}`)
  if (isMapped(ip) && bits >= MAPPED_BITS) return { network: normalise(ip), bits: bits - MAPPED_BITS }
  return { network: ip, bits }
}

/** Whether an address is in one of the blocks. */
export function isIn (ranges: readonly Range[], address: Address | null): boolean {
  return address !== null && ranges.some(({ network, bits }) =>
    network.kind() === address.kind() && address.match(network as never, bits))
}

/** Whether an address cannot be on the public Internet. */
export function isPrivate (address: Address | null): boolean {
  return address !== null && PRIVATE.has(address.range())
}

/**
 * Determines who is calling.
 *
 * @param peer          the socket's remote address; a mapped one counts as IPv4
 * @param forwardedFor  every X-Forwarded-For header, joined by commas
 * @param trusted       blocks of trusted proxies
 * @returns             the first address from the right that is not trusted, or
 *                      the leftmost if all are trusted; `unknown` if the entry
 *                      that decides is not an address
 * @see                 RFC 7239 §5.2 and §6 for the syntax of an entry
 */
export function resolveSource (
  peer: string | undefined, forwardedFor: string | undefined, trusted: readonly Range[]
): Source {
  const entries = entriesOf(forwardedFor)
  let address = parseAddress(peer ?? '')
  let hops = 0
  while (entries.length > 0 && isIn(trusted, address)) {
    address = ++hops > MAX_HOPS ? null : parseAddress(entries.pop()!)
  }
  return { text: address?.toString() ?? 'unknown', address, hidesMore: entries.length > 0 }
}

/**
 * Reads one address: bare, in brackets, quoted, with a port or with a zone.
 *
 * @returns `null` if it is not an address; spellings that other parsers read
 *          differently (octal, hexadecimal, short forms) are not
 */
export function parseAddress (text: string): Address | null {
  const bare = text.trim().replace(/^"(.*)"$/, '$1')
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(bare)
  if (bracketed !== null) return normaliseOrNull(parseIp(bracketed[1]!))
  const withPort = /^([\d.]+):\d{1,5}$/.exec(bare)
  return normaliseOrNull(parseIp(withPort?.[1] ?? bare))
}

/** Empty list elements are skipped (RFC 9110 §5.6.1.2). */
function entriesOf (header: string | undefined): string[] {
  if (header === undefined) return []
  return header.split(',').filter(entry => entry.trim() !== '')
}

function parseIp (text: string): Address | null {
  const withoutZone = text.includes(':') ? text.replace(/%.*$/, '') : text
  return isIP(withoutZone) === 0 ? null : ipaddr.parse(withoutZone)
}

function isMapped (address: Address): address is ipaddr.IPv6 {
  return address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress()
}

function normalise (address: Address): Address {
  return isMapped(address) ? address.toIPv4Address() : address
}

function normaliseOrNull (address: Address | null): Address | null {
  return address === null ? null : normalise(address)
}
