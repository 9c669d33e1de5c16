/**
 * Promise 1: acknowledged means safe. The gateway is killed with SIGKILL at
 * random moments under load while the sender retries until it gets a 200, as
 * Fotor does. Nothing acknowledged is missing at any subscriber, nothing is
 * stuck. The living Redis of a killed gateway is adopted by the next.
 */
import { setImmediate as turn } from 'node:timers/promises'
import t from '../support/tap.js'
import { makeHome, startProcess, type GatewayProcess } from '../support/gateway.js'
import { startSubscriber } from '../support/subscriber.js'
import { until } from '../support/until.js'

const CRASHES = 20
/** Callbacks acknowledged between two crashes, at most. */
const MOST_BETWEEN = 60
const SENDERS = 8

t.test('kill -9 of the gateway at 20 random moments under load', async t => {
  const subscribers = [await startSubscriber(), await startSubscriber()]
  const home = makeHome({
    log: { level: 'info' },
    subscribers: subscribers.map(({ url }, at) => ({ name: `s${at}`, url, retry: { attempts: 20, initial: '50ms', factor: 1, max: '50ms' } }))
  })
  let gateway: GatewayProcess = await startProcess(home)
  t.teardown(async () => {
    await gateway.stop()
    await Promise.all(subscribers.map(async subscriber => { await subscriber.close() }))
    home.remove()
  })

  const acknowledged = new Set<string>()
  let sent = 0
  const sending = { on: true }

  /** Posts one callback again and again until it is answered with 200. */
  async function send (taskId: string): Promise<void> {
    for (;;) {
      try {
        const { status } = await gateway.post({ taskId, status: 1, type: 'x', n: sent })
        if (status === 200) { acknowledged.add(taskId); return }
      } catch {
        await turn() // the gateway is down: the sender tries again
      }
    }
  }
  async function sender (): Promise<void> {
    while (sending.on) await send(`task-${sent++}`)
  }

  const senders = Array.from({ length: SENDERS }, sender)
  const servers = new Set<unknown>()
  for (let crash = 0; crash < CRASHES; crash++) {
    const goal = acknowledged.size + Math.ceil(Math.random() * MOST_BETWEEN)
    await until(async () => { await turn(); return acknowledged.size >= goal || undefined })
    await gateway.kill()
    gateway = await startProcess(home)
    const own = gateway.log.find(({ msg }) => msg === 'redis server is ours')
    t.equal(own?.['adopted'], true, `crash ${crash + 1}: the next gateway adopts the living Redis`)
    servers.add(own?.['serverPid'])
  }
  sending.on = false
  await Promise.all(senders)
  t.equal(servers.size, 1, 'it was one Redis all along')
  t.comment(`${acknowledged.size} callbacks acknowledged over ${CRASHES} crashes`)

  for (const [at, subscriber] of subscribers.entries()) {
    await subscriber.waitUntil(received => new Set(received.map(({ headers }) => headers['relay-task-id'])).size >= acknowledged.size)
    const got = new Set(subscriber.received.map(({ headers }) => String(headers['relay-task-id'])))
    t.strictSame([...acknowledged].filter(taskId => !got.has(taskId)), [], `nothing acknowledged is missing at s${at}`)
  }
  const stuck = await until(async () => {
    const { json } = await gateway.api<{ items: Array<{ counts: { open: number, failed: number } }> }>('GET', '/api/v1/subscribers')
    return json.items.every(({ counts }) => counts.open === 0) ? json.items.map(({ counts }) => counts.failed) : undefined
  })
  t.strictSame(stuck, [0, 0], 'nothing is stuck, nothing failed')
})
