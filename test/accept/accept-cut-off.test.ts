/**
 * The connection to Redis breaks at every message in turn, before it is sent
 * and before it is answered; the sender tries again, as senders do. Nothing is
 * lost and nothing is doubled, wherever it broke.
 */
import { dirname, join } from 'node:path'
import t from '../support/tap.js'
import { failFastClient, allEvents, callback, hasJob, openGateway, policyFor, recordingDeliver, type Gateway } from '../support/relay.js'
import { startCuttingProxy } from '../support/cutting-proxy.js'
import { startRedis } from '../support/redis.js'
import { until } from '../support/until.js'

const server = await startRedis(['--appendfsync', 'no'])
const proxy = await startCuttingProxy(join(dirname(server.path), 'p'), server.path)
t.teardown(async () => {
  await proxy.close()
  await server.close()
})

const ARRIVALS = [
  { taskId: 't1', status: 0 },
  { taskId: 't1', status: 1 },
  { taskId: 't1', status: 1 },
  { taskId: 't1', status: 1, url: 'other' },
  { taskId: 't1', status: 0, url: 'late' },
  { taskId: 't1', status: 2 }
]

/** As a sender does: again, until it is told that it arrived. */
async function sendUntilAnswered (gateway: Gateway, fields: Record<string, unknown>): Promise<void> {
  await until('it is answered with 200', async () =>
    ['accepted', 'duplicate'].includes((await gateway.accept(callback(fields))).kind))
}

async function everythingIsRight (gateway: Gateway): Promise<string | null> {
  const rows = (await allEvents(gateway)).reverse()
  const got = JSON.stringify(rows.map(({ event, deliveries }) =>
    [event.status, event.revision, event.flags.join(), deliveries.map(({ state }) => state).join()]))
  const wanted = JSON.stringify([
    [0, 1, '', 'queued,queued'], [1, 1, '', 'queued,queued'], [1, 2, '', 'queued,queued'], [0, 2, 'late', ''], [2, 1, 'conflict', 'queued,queued']
  ])
  if (got !== wanted) return got
  for (const { event, deliveries } of rows) {
    for (const { subscriber } of deliveries) if (!await hasJob(gateway, subscriber, event.id)) return `no job of ${event.id} for ${subscriber}`
  }
  const { deliver, sent } = recordingDeliver()
  const workers = await gateway.work(deliver)
  await until('the queues are empty', async () => (await gateway.queues.count('a')).jobs + (await gateway.queues.count('b')).jobs === 0)
  await workers.stop(0)
  return sent.length === 8 ? null : `${sent.length} sent`
}

for (const when of ['before it is sent', 'before it is answered'] as const) {
  t.test(`cut at any message, ${when}: nothing lost, nothing doubled`, async t => {
    let cuts = 0
    for (let n = 0; ; n++) {
      const failFast = await failFastClient(server, proxy.path)
      const gateway = await openGateway(t, server, { prefix: `${when.length}-${n}`, policy: policyFor(['a', 'b']), failFast })
      proxy.arm(n, when)
      for (const fields of ARRIVALS) await sendUntilAnswered(gateway, fields)
      const cut = proxy.hasCut()
      t.equal(await everythingIsRight(gateway), null, `message ${n}`)
      failFast.disconnect()
      if (!cut) break
      cuts += 1
    }
    t.ok(cuts >= ARRIVALS.length, `${cuts} messages were tried`)
  })
}
