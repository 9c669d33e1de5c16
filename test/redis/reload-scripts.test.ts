/**
 * A script that the server forgot does not fail transactions for good.
 */
import t from 'tap'
import { startRedis } from '../support/redis.js'
import { waitUntilReady } from '../../src/redis/connect.js'
import { reloadScripts } from '../../src/redis/reload-scripts.js'
import { defineOn } from '../../src/redis/script.js'
import { connected } from './fixtures/connected.js'
import { until } from './fixtures/until.js'

const redis = await startRedis()
t.teardown(async () => { await redis.close() })

type Scripted = Record<'answer', (keys: number) => unknown>

t.test('after a reload a transaction finds a script that the server had lost', async t => {
  const { hasty } = connected(t, { kind: 'socket', path: redis.path })
  await waitUntilReady(hasty, 5_000)
  await defineOn(hasty, { name: 'answer', lua: 'return 42' }).call(hasty, 0)

  async function transaction (): Promise<unknown> {
    const multi = hasty.multi()
    ;(multi as unknown as Scripted).answer(0)
    const [entry] = await multi.exec() as Array<[Error | null, unknown]>
    return entry![0]?.message.split(' ')[0] ?? entry![1]
  }
  t.equal(await transaction(), 42)
  await hasty.script('FLUSH')
  t.equal(await transaction(), 'NOSCRIPT')
  t.equal(await transaction(), 'NOSCRIPT', 'the driver does not mend it by itself')
  await reloadScripts(hasty)
  t.equal(await transaction(), 42)
})

t.test('a server that was restarted is given the scripts before anybody calls them', async t => {
  const { hasty } = connected(t, { kind: 'socket', path: redis.path })
  await waitUntilReady(hasty, 5_000)
  defineOn(hasty, { name: 'question', lua: 'return 6 * 9' })
  await redis.restart()
  const sha = await redis.client().script('LOAD', 'return 1').then(async () => {
    const { createHash } = await import('node:crypto')
    return createHash('sha1').update('return 6 * 9').digest('hex')
  })
  t.equal(await until(async () => (await redis.client().script('EXISTS', sha) as number[])[0] === 1), true)
})
