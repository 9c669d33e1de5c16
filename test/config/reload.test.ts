/** A reload takes up all of a good file and nothing of a bad one. */
import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from '../support/tap.js'
import type { Config } from '../../src/config/config.js'
import { loadConfig } from '../../src/config/load.js'
import { createReloader, type Reloader, type ReloaderOptions } from '../../src/config/reload.js'
import { RelayError } from '../../src/model/errors.js'
import type { Fact } from '../../src/model/fact.js'

interface Setting {
  reloader: Reloader
  facts: Fact[]
  applied: Config[]
  write (text: string): void
}

async function start (t: Test, text: string, apply?: (config: Config) => Promise<void>, more: Partial<ReloaderOptions> = {}): Promise<Setting> {
  const dir = mkdtempSync(join(tmpdir(), 'relay-config-'))
  t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })
  const file = join(dir, 'relay.yaml')
  const write = (text: string): void => { writeFileSync(file, text) }
  write(text)
  const env = { TOKEN: 'hush' }
  const loaded = await loadConfig({ file, env })
  if ('faults' in loaded) throw new Error(JSON.stringify(loaded.faults))
  const facts: Fact[] = []
  const applied: Config[] = []
  const reloader = createReloader({
    file,
    env,
    initial: loaded.config,
    apply: async config => {
      await apply?.(config)
      applied.push(config)
    },
    waitingFor: async () => [],
    writeWait: { quietMs: 0, atMostMs: 0 },
    report: fact => { facts.push(fact) },
    ...more
  })
  return { reloader, facts, applied, write }
}

t.test('a good file is applied, then in force, then reported', async t => {
  const { reloader, facts, applied, write } = await start(t, 'dedupe: { window: 7d }')
  write('dedupe: { window: 1d }\nsubscribers: [{ name: one, url: "http://one.internal/" }]')
  const changed = ['dedupe.window', 'subscribers.one added']
  t.strictSame(await reloader.reload(), { changed })
  t.equal(reloader.current().dedupe.windowMs, 86_400_000)
  t.equal(applied[0], reloader.current())
  t.strictSame(facts, [{ fact: 'config.loaded', changed }])
  t.strictSame(reloader.lastFaults(), [])
})

t.test('a bad file leaves everything as it was, and the faults stay until the next good one', async t => {
  const { reloader, facts, applied, write } = await start(t, '')
  const before = reloader.current()
  write('dedupe: { window: 1d }\nshutdownGrace: 15\n')
  const faults = [{ path: 'shutdownGrace', message: 'has no unit', line: 2, column: 16 }]
  t.match(await reloader.reload(), { faults })
  t.equal(reloader.current(), before)
  t.equal(applied.length, 0)
  t.match(reloader.lastFaults(), faults)
  t.match(facts, [{ fact: 'config.refused', faults: [/^2:16: shutdownGrace has no unit \(write 15s/] }])
  write('')
  t.strictSame(await reloader.reload(), { changed: [] })
  t.strictSame(reloader.lastFaults(), [])
})

t.test('a change that needs a restart refuses the whole file, by name and place', async t => {
  const { reloader, applied, write } = await start(t, '')
  write('dedupe: { window: 1d }\nadmin:\n  listen: 127.0.0.1:9999\nredis:\n  prefix: other\ndataDir: ./other\ningest:\n  tls: { certFile: test/config/tls/one.crt, keyFile: test/config/tls/one.key }\n')
  t.match(await reloader.reload(), {
    faults: [
      { path: 'admin.listen', message: 'needs a restart to change', line: 3, column: 11 },
      { path: 'redis.prefix', message: 'needs a restart to change', line: 5, column: 11 },
      { path: 'dataDir', line: 6 },
      { path: 'ingest.tls', line: 8 }
    ]
  })
  t.equal(applied.length, 0)
  t.equal(reloader.current().dedupe.windowMs, 7 * 86_400_000)
})

t.test('what goes and needs a restart is refused too', async t => {
  const { reloader, write } = await start(t, 'dataDir: ./other\n')
  write('# gone\n')
  t.match(await reloader.reload(), { faults: [{ path: 'dataDir', line: null }] })
})

t.test('a rotated certificate needs no restart', async t => {
  const tls = (name: string): string => `ingest: { tls: { certFile: test/config/tls/${name}.crt, keyFile: test/config/tls/${name}.key } }`
  const { reloader, write } = await start(t, tls('one'))
  write(tls('other'))
  t.strictSame(await reloader.reload(), { changed: ['ingest.tls.certFile', 'ingest.tls.keyFile'] })
})

t.test('a part that refuses leaves everything as it was', async t => {
  const { reloader, facts, write } = await start(t, '', async () => { throw new RelayError('CONFLICT', 'the queue of one is being drained') })
  const before = reloader.current()
  write('dedupe: { window: 1d }')
  const faults = [{ path: '', message: 'the new configuration could not be taken up: the queue of one is being drained' }]
  t.match(await reloader.reload(), { faults })
  t.equal(reloader.current(), before)
  t.match(reloader.lastFaults(), faults)
  t.match(facts, [{ fact: 'config.refused' }])
})

t.test('an error that is not ours is named, not quoted', async t => {
  const failure = Object.assign(new TypeError('cannot use redis://:hush@h'), { code: 'ERR_INVALID_URL' })
  const { reloader } = await start(t, '', async () => { throw failure })
  t.match(await reloader.reload(), { faults: [{ message: 'the new configuration could not be taken up: TypeError ERR_INVALID_URL' }] })
})

t.test('two reloads at once are one after the other', async t => {
  const steps: string[] = []
  const gate = new EventEmitter()
  const { reloader, write } = await start(t, '', async ({ dedupe }) => {
    steps.push(`begin ${dedupe.windowMs}`)
    if (steps.length === 1) await once(gate, 'open')
    steps.push(`end ${dedupe.windowMs}`)
  })
  write('dedupe: { window: 1s }')
  const first = reloader.reload()
  const second = reloader.reload()
  await new Promise(resolve => setImmediate(resolve))
  t.strictSame(steps, ['begin 1000'], 'the second waits')
  write('dedupe: { window: 2s }')
  gate.emit('open')
  t.strictSame(await first, { changed: ['dedupe.window'] })
  t.strictSame(await second, { changed: ['dedupe.window'] }, 'and sees what the first one left')
  t.strictSame(steps, ['begin 1000', 'end 1000', 'begin 2000', 'end 2000'])
})

t.test('a reload that is refused does not block the next', async t => {
  const { reloader, write } = await start(t, '', async ({ log }) => { if (log.level === 'debug') throw new Error('no') })
  write('log: { level: debug }')
  const refused = reloader.reload()
  t.match(await refused, { faults: [Object] })
  write('log: { level: warn }')
  t.strictSame(await reloader.reload(), { changed: ['log.level'] })
})

t.test('no change names a value', async t => {
  const { reloader, facts, write } = await start(t, '')
  write('admin: { tokens: ["$' + '{TOKEN}"] }\nsubscribers: [{ name: one, url: "http://u:hush@one/", headers: { X: hush } }]')
  await reloader.reload()
  t.match(reloader.current().admin.tokens, [{ value: 'hush' }])
  write('admin: { tokens: ["$' + '{TOKEN}-2"] }\nsubscribers: [{ name: one, url: "http://u:hush2@one/", headers: { X: hush2 } }]')
  t.strictSame(await reloader.reload(), { changed: ['admin.tokens.token-1.value', 'subscribers.one.url', 'subscribers.one.headers.X'] })
  t.notMatch(JSON.stringify(facts), /hush/)
})

const both = 'subscribers: [{ name: one, url: "http://one/" }, { name: other, url: "http://other/" }]'
const withoutOne = 'subscribers: [{ name: other, url: "http://other/" }]'
/** Deliveries wait for `one`. */
const ONE_WAITS: Partial<ReloaderOptions> = { waitingFor: async names => names.filter(name => name === 'one') }

t.test('a file that is being written is read when it is whole', async t => {
  const texts = ['', 'subscribers:\n', both + '\nlog: { level: warn }']
  const { reloader, write } = await start(t, both, undefined, {
    writeWait: {
      quietMs: 1,
      atMostMs: 60_000,
      async wait () {
        const next = texts.shift()
        if (next !== undefined) write(next)
      }
    }
  })
  t.strictSame(await reloader.reload(), { changed: ['log.level'] })
  t.equal(texts.length, 0)
})

for (const [says, text] of [['empty', ''], ['nothing but a comment', '# to be written\n']]) {
  t.test(`a file that is ${says} is refused, and {} is not`, async t => {
    const { reloader, write } = await start(t, both)
    write(text!)
    t.match(await reloader.reload(), { faults: [{ path: '', message: 'nothing stands in the file' }] })
    t.equal(reloader.current().subscribers.length, 2)
    write('{}')
    t.strictSame(await reloader.reload(), { changed: ['subscribers.one removed', 'subscribers.other removed'] })
  })
}

t.test('subscribers for which deliveries wait go only when it is said', async t => {
  const { reloader, write } = await start(t, both, undefined, ONE_WAITS)
  write(withoutOne)
  t.match(await reloader.reload(), { faults: [{ path: 'subscribers', message: 'no longer has one, and deliveries wait for it', line: 1, hint: /--allow-removals/ }] })
  t.strictSame(await reloader.reload({ allowRemovals: true }), { changed: ['subscribers.one removed'] })
})

t.test('or when it is asked again within a minute, with the same file', async t => {
  let now = 0
  const { reloader, write } = await start(t, both, undefined, { ...ONE_WAITS, clock: () => now })
  const isRefused = async (): Promise<boolean> => 'faults' in await reloader.reload()
  write(withoutOne)
  t.ok(await isRefused())
  now = 60_001
  t.ok(await isRefused(), 'a minute is over')
  write(withoutOne.replace('http://other/', 'http://another/'))
  t.ok(await isRefused(), 'it is another file')
  write(both + '\nlog: { level: warn }')
  t.notOk(await isRefused())
  write(withoutOne.replace('http://other/', 'http://another/'))
  t.ok(await isRefused(), 'what was taken up between the two is an answer')
  t.notOk(await isRefused())
  t.strictSame(reloader.current().subscribers.map(({ name }) => name), ['other'])
})

t.test('one for which nothing waits goes; while nobody can tell, all are kept', async t => {
  const { reloader, write } = await start(t, both, undefined, ONE_WAITS)
  write('subscribers: [{ name: one, url: "http://one/" }]')
  t.strictSame(await reloader.reload(), { changed: ['subscribers.other removed'] })
  const away = await start(t, both, undefined, { waitingFor: async () => { throw new Error('Redis is away') } })
  away.write(withoutOne)
  t.match(await away.reloader.reload(), { faults: [{ message: 'no longer has one, and deliveries wait for it' }] })
})
