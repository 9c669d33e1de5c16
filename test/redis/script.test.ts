/** What a script and TypeScript both know is written once, in TypeScript. */
import t from '../support/tap.js'
import { loadScript, runScript } from '../../src/redis/script.js'
import { startRedis } from '../support/redis.js'

const FILE = new URL('./fixtures/constants.lua', import.meta.url)

t.test('a script has its constants', async t => {
  const redis = await startRedis()
  t.teardown(async () => { await redis.close() })
  const script = loadScript(FILE, { NAMES: ["it's", 'a "b"\n'], PLACE: { a: 1, b: 2 } })
  t.strictSame(await runScript(redis.client(), script, { keys: ['x'], args: [] }), ["it's", 'a "b"\n', 2, 2])
})

t.test('one that it was not given is an error when it is loaded', async t => {
  t.throws(() => loadScript(FILE, { NAMES: [] }), { message: /constants\.lua wants a constant PLACE/ })
})
