/**
 * Who is calling: X-Forwarded-For is believed from the right, and no further
 * than trust goes.
 */
import t from '../support/tap.js'
import { isIn, isPrivate, parseAddress, parseRange, resolveSource } from '../../src/ingest/source-address.js'

const PROXIES = ['10.0.0.0/8', '127.0.0.1', 'fd00::/8']

const SOURCES: ReadonlyArray<[says: string, peer: string | undefined, forwardedFor: string | undefined, is: string]> = [
  ['a peer without a header', '54.212.95.175', undefined, '54.212.95.175'],
  ['a stranger is not believed', '203.0.113.9', '54.212.95.175', '203.0.113.9'],
  ['a trusted proxy is', '10.0.0.1', '54.212.95.175', '54.212.95.175'],
  ['the leftmost entry may be invented', '10.0.0.1', '54.212.95.175, 203.0.113.9', '203.0.113.9'],
  ['two trusted proxies in a row', '10.0.0.1', '54.212.95.175, 10.0.0.2', '54.212.95.175'],
  ['an entry that only looks trusted is behind a stranger', '10.0.0.1', '54.212.95.175, 203.0.113.9, 10.0.0.2', '203.0.113.9'],
  ['all are trusted: the leftmost', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
  ['a trusted proxy without a header', '10.0.0.1', undefined, '10.0.0.1'],
  ['an empty header', '10.0.0.1', ' , ,', '10.0.0.1'],
  ['empty entries are passed over', '10.0.0.1', '54.212.95.175, ,', '54.212.95.175'],
  ['an IPv4-mapped peer is IPv4', '::ffff:10.0.0.1', '54.212.95.175', '54.212.95.175'],
  ['an IPv4-mapped entry is IPv4', '10.0.0.1', '::ffff:54.212.95.175', '54.212.95.175'],
  ['an IPv4-mapped entry in hexadecimal', '10.0.0.1', '::ffff:36d4:5faf', '54.212.95.175'],
  ['IPv6 is written in one way', '10.0.0.1', '2001:0DB8:0:0::1', '2001:db8::1'],
  ['an IPv6 proxy', 'fd00::1', '2001:db8::1', '2001:db8::1'],
  ['a zone', 'fe80::1%eth0', undefined, 'fe80::1'],
  ['a port', '10.0.0.1', '54.212.95.175:41234', '54.212.95.175'],
  ['brackets', '10.0.0.1', '[2001:db8::1]', '2001:db8::1'],
  ['brackets and a port', '10.0.0.1', '[2001:db8::1]:41234', '2001:db8::1'],
  ['quotes', '10.0.0.1', '"[2001:db8::1]:41234"', '2001:db8::1'],
  ['garbage where it would decide', '10.0.0.1', '54.212.95.175, unknown', 'unknown'],
  ['garbage further left does not matter', '10.0.0.1', '<script>, 54.212.95.175', '54.212.95.175'],
  ['an obfuscated name', '10.0.0.1', '_hidden', 'unknown'],
  ['octal is not decimal', '10.0.0.1', '054.212.095.175', 'unknown'],
  ['a short form', '10.0.0.1', '10.1', 'unknown'],
  ['a number', '10.0.0.1', '919887791', 'unknown'],
  ['a port out of place', '10.0.0.1', '54.212.95.175:x', 'unknown'],
  ['no peer at all', undefined, '54.212.95.175', 'unknown'],
  ['a thousand trusted hops are one too many', '10.0.0.1', '54.212.95.175' + ',10.0.0.2'.repeat(1_000), 'unknown']
]
for (const [says, peer, forwardedFor, is] of SOURCES) {
  t.test(says, async t => {
    const source = resolveSource(peer, forwardedFor, PROXIES.map(parseRange))
    t.equal(source.text, is)
    t.equal(source.address === null, is === 'unknown')
  })
}

t.test('a source tells whether entries behind it were not believed', async t => {
  const trusted = ['10.0.0.0/8'].map(parseRange)
  t.equal(resolveSource('172.17.0.1', '54.212.95.175', trusted).hidesMore, true)
  t.equal(resolveSource('10.0.0.1', '54.212.95.175, 172.17.0.1', trusted).hidesMore, true)
  t.equal(resolveSource('10.0.0.1', '54.212.95.175', trusted).hidesMore, false)
  t.equal(resolveSource('172.17.0.1', undefined, trusted).hidesMore, false)
})

const RANGES: ReadonlyArray<[range: string, address: string, inside: boolean]> = [
  ['54.212.95.175', '54.212.95.175', true],
  ['54.212.95.175', '54.212.95.174', false],
  ['54.212.95.0/24', '54.212.95.1', true],
  ['54.212.95.0/24', '54.212.96.1', false],
  ['54.212.95.77/24', '54.212.95.1', true],
  ['0.0.0.0/0', '8.8.8.8', true],
  ['0.0.0.0/0', '2001:db8::1', false],
  ['::/0', '8.8.8.8', false],
  ['2001:db8::/32', '2001:db8:ffff::1', true],
  ['2001:db8::/32', '2001:db9::1', false],
  ['::ffff:54.212.95.175', '54.212.95.175', true],
  ['::ffff:54.212.95.0/120', '54.212.95.9', true],
  ['::ffff:54.212.95.0/120', '54.212.96.9', false],
  ['54.212.95.175', '::ffff:54.212.95.175', true]
]
for (const [range, address, inside] of RANGES) {
  t.test(`${address} is ${inside ? '' : 'not '}in ${range}`, async t => {
    t.equal(isIn([parseRange(range)], parseAddress(address)), inside)
  })
}

t.test('what is no address and no block is refused', async t => {
  for (const text of ['', 'localhost', '1.2.3', '1.2.3.4/33', '1.2.3.4/', '1.2.3.4/-1', '1.2.3.4/8/8', '::1/129', '01.2.3.4']) {
    t.throws(() => parseRange(text), RangeError, text)
  }
})

t.test('nothing is in a range when it has no address', async t => {
  t.equal(isIn([parseRange('0.0.0.0/0'), parseRange('::/0')], null), false)
})

t.test('private addresses are told from public ones', async t => {
  for (const address of ['127.0.0.1', '10.1.2.3', '172.17.0.1', '192.168.1.1', '169.254.1.1', '100.64.0.1', '::1', 'fd00::1', 'fe80::1']) {
    t.equal(isPrivate(parseAddress(address)), true, address)
  }
  for (const address of ['54.212.95.175', '2606:4700::1', '172.32.0.1']) t.equal(isPrivate(parseAddress(address)), false, address)
})
