/**
 * Promise 6: a gateway that has worked with its Redis before starts while that
 * is away, takes callbacks at once, and checks Redis before it uses it. One
 * that has not does not run where nobody is: the address may be wrong.
 */
import t from '../support/tap.js'
import { runCommand } from '../support/command.js'
import { allArrived, OUTAGES, sendMany, sendUntilAccepted, setSpoolStage, statusesOf, untilWell } from '../support/outage.js'
import { logged, onRedis, seeReadiness } from '../support/scene.js'

for (const { says, begin, end } of [OUTAGES.killed, OUTAGES.frozen, OUTAGES.full]) {
  t.test(`a gateway whose Redis ${says} starts again without it, and takes callbacks at once`, async t => {
    const stage = await setSpoolStage(t)
    const { scene, redis, gateway } = stage
    await begin(redis)
    const before = await sendMany(gateway, 'before', 10)
    await gateway.kill()
    const next = await scene.process(gateway.home)
    t.pass('it is open, and Redis is still away')
    // What a start does drains, so it needs no room: a full Redis is checked at once.
    const told = next.log.find(({ msg }) => msg === 'Redis is away: callbacks go to the spool until it is back')
    t.match(told, says === OUTAGES.full.says ? undefined : { level: 'warn' })
    t.match(await seeReadiness(next), { code: 200, status: 'degraded', reasons: [/stored in the spool/, /^10 callbacks wait/] })
    const after = await sendMany(next, 'after', 10)
    t.strictSame(statusesOf(after), ['spooled'])
    t.match(await next.post('{}'), { status: 400 })
    await end(redis)
    await allArrived(t, { ...stage, gateway: next }, [...before, ...after])
    await untilWell(next)
    await sendUntilAccepted(next, 'straight')
  })
}

t.test('a gateway that has never worked with this Redis does not start without it: the address may be wrong', async t => {
  const { redis, gateway } = await setSpoolStage(t)
  await gateway.stop()
  await redis.kill()
  const { home } = gateway
  home.configure({ ...onRedis(redis), redis: { url: 'redis://127.0.0.1:1' } })
  const { code, err } = await runCommand(['start', '--config', home.configFile])
  t.equal(code, 1)
  t.match(err, /Redis at redis:\/\/127\.0\.0\.1:1 was not ready.*or correct the address/)
})

t.test('SIGTERM ends it with 0 at once while Redis stands still all the time, and what it took is kept', async t => {
  const stage = await setSpoolStage(t)
  const { scene, redis, gateway } = stage
  await gateway.kill()
  redis.process.kill('SIGSTOP')
  const next = await scene.process(gateway.home)
  const taken = await sendMany(next, 'taken', 5)
  t.strictSame(statusesOf(taken), ['spooled'])
  t.equal(await next.end('SIGTERM'), 0)
  t.match(next.log.find(({ msg }) => msg === 'spool.left'), { callbacks: 5 })
  t.strictSame(next.log.filter(({ msg }) => msg === 'did not stop in time'), [], 'no part of it waits for Redis until its time is over')
  redis.process.kill('SIGCONT')
  await allArrived(t, { ...stage, gateway: await scene.process(gateway.home) }, taken)
})

t.test('a Redis that is back and must not be used gets nothing; the spool goes on, and says why', async t => {
  const stage = await setSpoolStage(t)
  const { scene, redis, gateway } = stage
  const operator = redis.client()
  await gateway.kill()
  await operator.config('SET', 'maxmemory-policy', 'allkeys-lru')
  redis.process.kill('SIGSTOP')
  const next = await scene.process(gateway.home)
  const frozen = await sendMany(next, 'frozen', 5)
  redis.process.kill('SIGCONT')
  t.match(await logged(next, ({ msg }) => msg === 'Redis is back, but it cannot be used: callbacks go to the spool'), { level: 'error', err: { message: /maxmemory-policy/ } })
  const refused = await sendMany(next, 'refused', 5)
  t.strictSame(statusesOf([...frozen, ...refused]), ['spooled'])
  t.equal(await operator.zcard('{relay}:events'), 0)
  await operator.config('SET', 'maxmemory-policy', 'noeviction')
  await allArrived(t, { ...stage, gateway: next }, [...frozen, ...refused])
  t.equal(next.log.filter(({ msg }) => /cannot be used/.test(String(msg))).length, 1, 'it is told once')
})
