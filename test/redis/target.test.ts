/**
 * Addresses: how they are read, and that no credential of one is ever shown.
 */
import t from '../support/tap.js'
import { describeTarget, parseNode, parseRedisUrl, targetFrom, type RedisTarget } from '../../src/redis/target.js'

const NONE = { url: null, sentinel: null, cluster: null, username: null, password: null, tls: null }

t.test('a configuration without an address names no target', async t => {
  t.equal(targetFrom(NONE), null)
  t.equal(targetFrom({ ...NONE, url: '' }), null)
})

t.test('what is configured goes along, and nothing else', async t => {
  t.strictSame(targetFrom({ ...NONE, url: 'redis://h', username: 'u', password: 'p', tls: { enabled: true, ca: 'PEM' } }),
    { kind: 'single', url: 'redis://h', username: 'u', password: 'p', tls: { ca: 'PEM' } })
  t.strictSame(targetFrom({ ...NONE, sentinel: { name: 'm', nodes: ['a:1'] }, tls: { enabled: false, ca: 'PEM' } }),
    { kind: 'sentinel', name: 'm', nodes: ['a:1'] })
  t.strictSame(targetFrom({ ...NONE, cluster: { nodes: ['a:1'] } }), { kind: 'cluster', nodes: ['a:1'] })
})

/** URL, and the parts that matter in it. */
const URLS: ReadonlyArray<[url: string, parts: object]> = [
  ['redis://h', { host: 'h', port: 6379, db: 0, username: null, password: null, encrypted: false, path: null }],
  ['redis://h:1/3', { port: 1, db: 3 }],
  ['redis://:p%40ss@h', { username: null, password: 'p@ss' }],
  ['redis://u:p@h', { username: 'u', password: 'p' }],
  ['rediss://h', { encrypted: true }],
  ['redis://[::1]:7000', { host: '::1', port: 7000 }],
  ['unix:///run/redis.sock', { path: '/run/redis.sock' }]
]
for (const [url, parts] of URLS) {
  t.test(`${url} is read`, async t => { t.match(parseRedisUrl(url), parts) })
}

for (const url of ['', 'localhost:6379', 'http://h', 'redis://h/x', 'redis://:secret@h/-1']) {
  t.test(`"${url.replace('secret', '…')}" is refused without being repeated`, async t => {
    const error = t.throws(() => parseRedisUrl(url), { code: 'CONFIG_INVALID' }) as Error
    t.notMatch(error.message, /secret/)
  })
}

t.test('nodes are read, with and without a port', async t => {
  t.strictSame(parseNode('h', 26379), { host: 'h', port: 26379 })
  t.strictSame(parseNode('h:1', 26379), { host: 'h', port: 1 })
  t.strictSame(parseNode('[::1]:2', 26379), { host: '::1', port: 2 })
  for (const node of ['', 'h:x', 'user:secret@h:1', '::1']) {
    t.throws(() => parseNode(node, 1), { code: 'CONFIG_INVALID' })
  }
})

/** Targets as people see them. */
const SHOWN: ReadonlyArray<[target: RedisTarget, shown: string]> = [
  [{ kind: 'socket', path: '/d/redis.sock' }, 'unix:/d/redis.sock'],
  [{ kind: 'single', url: 'redis://u:secret@h:1/2?x=secret', password: 'secret' }, 'redis://h:1'],
  [{ kind: 'single', url: 'rediss://[::1]' }, 'rediss://[::1]:6379'],
  [{ kind: 'single', url: 'unix:///s', password: 'secret' }, 'unix:/s'],
  [{ kind: 'sentinel', name: 'm', nodes: ['a:1', 'b:2'], password: 'secret' }, 'sentinel m (a:1, b:2)'],
  [{ kind: 'cluster', nodes: ['a:1', 'b:2'], password: 'secret' }, 'cluster (a:1, b:2)']
]
for (const [target, shown] of SHOWN) {
  t.test(`${shown} shows no credential`, async t => { t.equal(describeTarget(target), shown) })
}
