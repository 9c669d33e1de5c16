/**
 * Promise 1 with Redis away and the gateway dying as well: what was answered
 * "spooled" is on the disk, and the next gateway accepts it when Redis is back.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from '../support/tap.js'
import type { GatewayProcess, Home } from '../support/gateway.js'
import { allArrived, sendMany, sendOnce, setSpoolStage, statusesOf, type Sent } from '../support/outage.js'
import { logged, seeReadiness } from '../support/scene.js'
import { until } from '../support/until.js'

const spoolOf = (home: Home): string => join(home.dir, 'data', 'spool')
const filesIn = (home: Home): string[] => readdirSync(spoolOf(home), { recursive: true }).map(String).filter(name => name.endsWith('.spool'))
const factsOf = ({ log }: GatewayProcess, name: string): Array<Record<string, unknown>> => log.filter(({ msg }) => msg === name)

t.test('SIGTERM while Redis is away: the callbacks stay on the disk, that is said, and the next start drains them', async t => {
  const stage = await setSpoolStage(t)
  const { scene, redis, gateway } = stage
  await redis.kill()
  const sent = await sendMany(gateway, 'kept', 30)
  t.strictSame(statusesOf(sent), ['spooled'])
  t.equal(await gateway.end('SIGTERM'), 0)
  t.match(factsOf(gateway, 'spool.left'), [{ level: 'warn', callbacks: 30 }])
  t.equal(filesIn(gateway.home).length, 1)

  await redis.restart()
  const next = await scene.process(gateway.home)
  t.match(await logged(next, ({ msg }) => msg === 'spool.found'), { callbacks: 30 })
  await allArrived(t, { ...stage, gateway: next }, sent)
  t.equal(await next.end('SIGTERM'), 0)
  t.strictSame(readdirSync(spoolOf(gateway.home)).sort(), ['known-redis', 'reserve'])
})

t.test('kill -9 again and again while Redis comes and goes: nothing that was acknowledged is lost', async t => {
  const stage = await setSpoolStage(t)
  const { scene, redis } = stage
  let { gateway } = stage
  const sent: Sent[] = []
  /** Sends until the gateway is dead; what it was not told of, the sender would send again. */
  async function sender (name: string, dead: { yet: boolean }): Promise<void> {
    for (let n = 0; !dead.yet; n++) await sendOnce(gateway, `${name}-${n}`).then(one => { sent.push(one) }, () => {})
  }
  for (let round = 0; round < 6; round++) {
    const dead = { yet: false }
    const goal = sent.length + 20 + Math.floor(Math.random() * 100)
    const senders = Array.from({ length: 8 }, async (_, at) => { await sender(`${round}-${at}`, dead) })
    if (round % 2 === 0) await redis.kill()
    await until(() => sent.length >= goal || undefined)
    if (round % 4 === 2) await redis.restart() // it dies while it drains
    await gateway.kill()
    dead.yet = true
    await Promise.all(senders)
    if (round % 4 === 0) await redis.restart()
    gateway = await scene.process(gateway.home)
    if (round % 2 === 1) continue
    await until(async () => (await seeReadiness(gateway)).status === 'ok' || undefined)
  }
  t.strictSame(statusesOf(sent).sort(), ['accepted', 'spooled'])
  await allArrived(t, { ...stage, gateway }, sent)
  await until(() => filesIn(gateway.home).length === 0 || undefined)
  t.notOk(existsSync(join(spoolOf(gateway.home), 'set-aside')), 'nothing was damaged')
})
