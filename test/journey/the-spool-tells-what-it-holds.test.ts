/**
 * What an operator sees of the spool: its numbers, its files, and what it says
 * when it is full, switched off or not wanted.
 */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from '../support/tap.js'
import { sendOnce, setSpoolStage } from '../support/outage.js'
import { logged, onRedis, seeReadiness, setScene, tasksOf } from '../support/scene.js'
import { until } from '../support/until.js'

t.test('an event that came through the spool says so, and the numbers tell what waits', async t => {
  const { redis, gateway } = await setSpoolStage(t)
  const idle = async (): Promise<unknown> => (await gateway.api('GET', '/api/v1/stats')).json['spool']
  t.match(await idle(), { state: 'idle', callbacks: 0, bytes: 0, oldestAt: null, problem: null, setAside: 0, unreachable: 0, maxBytes: 1_073_741_824 })
  await redis.kill()
  t.match(await gateway.post({ taskId: 't', status: 1, type: 'x' }), { status: 200, json: { status: 'spooled' } })
  t.match(await gateway.post({ taskId: 't', status: 1, type: 'x' }), { status: 200, json: { status: 'spooled' } })
  t.match(await gateway.post('{"taskId":"t"}'), { status: 400, json: { field: 'status' } }, 'what could never be accepted is not kept')
  t.match(await gateway.api('POST', '/api/v1/test-events', {}), { status: 503 }, 'an operator is told, and not put off')
  await redis.restart()
  await logged(gateway, ({ msg }) => msg === 'spool.drained')
  const { json: { items: [event] } } = await gateway.api<{ items: object[] }>('GET', '/api/v1/events?flag=spooled')
  t.match(event, { taskId: 't', flags: ['spooled'], duplicates: 1 })
  t.match(await idle(), { state: 'idle', callbacks: 0, bytes: 0 })
})

t.test('the files are for the gateway alone, and gone when all is accepted', async t => {
  const { redis, gateway } = await setSpoolStage(t)
  const spool = join(gateway.home.dir, 'data', 'spool')
  const entries = (): string[] => readdirSync(spool, { recursive: true }).map(String)
  await redis.kill()
  await gateway.post({ taskId: 't', status: 1, type: 'x' })
  t.ok(entries().some(name => name.endsWith('.spool')))
  for (const name of ['.', ...entries()]) {
    const stat = statSync(join(spool, name))
    if (stat.isSocket()) continue
    t.equal(stat.mode & 0o777, stat.isDirectory() ? 0o700 : 0o600, name)
  }
  await redis.restart()
  await logged(gateway, ({ msg }) => msg === 'spool.drained')
  t.notOk(entries().some(name => name.endsWith('.spool')))
})

t.test('a full spool: 503 with Retry-After and not ready; a smaller callback, or Redis, mends it', async t => {
  const { redis, gateway, subscribers } = await setSpoolStage(t, { ingest: { maxBody: '64kb' }, spool: { maxBytes: '1mb' } })
  const large = (n: number): object => ({ taskId: `t${n}`, status: 1, type: 'x', filler: 'x'.repeat(60_000) })
  await redis.kill()
  let kept = 0
  for (; (await gateway.post(large(kept))).status === 200; kept++);
  t.ok(kept >= 15 && kept <= 17, `${kept} of 60 kB in 1 MB`)
  const response = await fetch(gateway.ingestUrl, { method: 'POST', body: JSON.stringify(large(99)) })
  t.equal(response.status, 503)
  t.match(response.headers.get('retry-after'), /^[1-9]\d*$/)
  t.match(await logged(gateway, ({ msg }) => msg === 'spool.full'), { level: 'error', callbacks: kept, maxBytes: 1_048_576 })
  for (let n = 0; (await gateway.post({ taskId: `small-${n}`, status: 1, type: 'x', filler: 'x'.repeat(8_000) })).status === 200; n++) kept++
  const { code, reasons } = await until(async () => {
    const now = await seeReadiness(gateway)
    return now.code === 503 ? now : undefined
  })
  t.equal(code, 503)
  t.match(reasons, [/^Redis accepts no writes, and the spool accepts no callbacks \(it is full\)$/, /callbacks wait in the spool/])
  await redis.restart()
  await logged(gateway, ({ msg }) => msg === 'spool.drained')
  for (const subscriber of subscribers) await subscriber.waitUntil(() => new Set(tasksOf(subscriber)).size === kept)
  t.equal(await until(async () => (await seeReadiness(gateway)).code === 200 || undefined), true, 'ready again')
})

t.test('without a spool, callbacks are answered 503 while Redis is away, as the configuration says', async t => {
  const { redis, gateway } = await setSpoolStage(t, { spool: { enabled: false } })
  await redis.kill()
  t.equal((await sendOnce(gateway, 't')).status, 503)
  await until(async () => (await seeReadiness(gateway)).code === 503 || undefined)
  t.match((await seeReadiness(gateway)).reasons, [/^Redis accepts no writes$/])
  t.notOk(readdirSync(join(gateway.home.dir, 'data')).includes('spool'))
  await redis.restart()
  await until(async () => (await sendOnce(gateway, 't')).status === 'accepted' || undefined)
  t.match((await gateway.api('GET', '/api/v1/stats')).json, { spool: null })
})

t.test('one who only delivers has no spool', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const gateway = await scene.process(scene.home(onRedis(redis)), ['--role', 'deliver'])
  t.notOk(readdirSync(join(gateway.home.dir, 'data')).includes('spool'))
  t.match((await gateway.api('GET', '/api/v1/stats')).json, { spool: null })
})
