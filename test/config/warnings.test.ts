/** What is allowed and yet probably not meant. */
import t from '../support/tap.js'
import { warnings } from '../../src/config/warnings.js'
import { configOf } from './config-of.js'

const ONE = 'subscribers: [{ name: one, url: "http://one.internal/" }]\n'

const allowFrom = (...networks: string[]): string => `${ONE}ingest: { allowFrom: [${networks.map(network => `"${network}"`).join(', ')}] }\n`

const TABLE: ReadonlyArray<[says: string, text: string, warns: RegExp[]]> = [
  ['an ordinary file warns of nothing', ONE, []],
  ['nobody is subscribed', '', [/^subscribers is empty/]],
  ['nobody is let in', allowFrom(), [/^ingest\.allowFrom is empty/]],
  ['nobody is on the list, but all are let through', `${ONE}ingest: { allowFrom: [], allowlist: monitor }`, []],
  ['operators come from other machines', `${ONE}admin: { listen: "0.0.0.0:8081", tokens: ["${'x'.repeat(32)}"] }`, [/^admin\.listen .*plain HTTP.*bearer tokens/]],
  ['operators come from other machines with a token of 31 characters', `${ONE}admin: { listen: "0.0.0.0:8081", tokens: ["${'x'.repeat(31)}"] }`, [/^admin\.listen /, /^the token token-1 in admin\.tokens has fewer than 32 characters and may be guessed; make one/]],
  ['a token of 15 characters, on this machine', `${ONE}admin: { tokens: [{ name: alice, value: ${'x'.repeat(15)} }] }`, [/^the token alice in admin\.tokens has fewer than 16 characters/]],
  ['a token of 16 characters, on this machine', `${ONE}admin: { tokens: [{ name: alice, value: ${'x'.repeat(16)} }] }`, []],
  ['operators come from this machine', `${ONE}admin: { listen: "[::1]:8081" }`, []],
  ['anybody may claim to be anybody', `${ONE}ingest: { trustedProxies: ["0.0.0.0/0"] }`, [/^ingest\.trustedProxies has 0\.0\.0\.0\/0/]],
  ['its own Redis may be limited', `${ONE}redis: { maxMemory: 2048mb }`, []],
  ...['url: "redis://redis.internal"', 'sentinel: { name: main, nodes: ["s1:26379"] }', 'cluster: { nodes: ["c1:6379"] }']
    .map((external): [string, string, RegExp[]] => [
      `an external one limits itself, ${external}`, `${ONE}redis: { ${external}, maxMemory: 2048mb }`, [/^redis\.maxMemory is only for the gateway's own server/]
    ]),
  ...['127.0.0.1', '127.0.0.0/8', '10.1.2.3', '172.20.0.0/16', '192.168.0.0/24', '169.254.0.1', '100.64.0.0/10', '::1', 'fd00::1', 'fe80::/64', '::ffff:10.0.0.1', '0.0.0.0/0', '::/0', '172.0.0.0/8']
    .map((network): [string, string, RegExp[]] => [`${network} holds private addresses`, allowFrom(network), [/contains loopback or private/]]),
  ...['54.212.95.175', '172.32.0.0/16', '11.0.0.0/8', '2001:db8::/32', '2600::1', '::ffff:54.212.95.175']
    .map((network): [string, string, RegExp[]] => [`${network} holds none`, allowFrom(network), []])
]
for (const [says, text, warns] of TABLE) {
  t.test(says, async t => {
    const found = warnings(await configOf(text))
    t.equal(found.length, warns.length)
    t.match(found, warns)
  })
}
