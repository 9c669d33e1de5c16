/** docs/scaling.md is true, as far as it can be held against the code. */
import { readFileSync } from 'node:fs'
import t from '../support/tap.js'
import { OWN_KEYS } from '../../src/config/own-keys.js'
import { configOf } from '../config/config-of.js'

const TEXT = readFileSync('docs/scaling.md', 'utf8')

t.test('it names every key in which replicas may differ, and no other', async t => {
  const [, sentence = ''] = /Replicas may differ in (.*?), and in nothing else/s.exec(TEXT) ?? []
  t.strictSame([...sentence.matchAll(/`([^`]+)`/g)].map(([, key]) => key).sort(), [...OWN_KEYS].sort())
})

t.test('with its example, one file serves two replicas on one machine', async t => {
  const [, example = ''] = /```yaml\n(.*?)```/s.exec(TEXT) ?? []
  const [one, other] = [await configOf(example), await configOf(example, { INGEST_PORT: '9080', ADMIN_PORT: '9081' })]
  t.match(one, { ingest: { listen: { host: '127.0.0.1', port: 8080 } }, admin: { listen: { port: 8081 } }, dataDir: '/var/lib/relay/8080' })
  t.match(other, { ingest: { listen: { host: '127.0.0.1', port: 9080 } }, admin: { listen: { port: 9081 } }, dataDir: '/var/lib/relay/9080' })
})
