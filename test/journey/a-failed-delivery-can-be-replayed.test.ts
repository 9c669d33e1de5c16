/**
 * Promise 2, its second half: a delivery that cannot be made ends as failed,
 * visible and replayable; and the waits between its attempts are those of the
 * configuration.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from '../support/tap.js'
import type { EventDetailAnswer } from '../../src/admin/answers.js'
import { MAIN, makeHome, startInProcess } from '../support/gateway.js'
import { accept } from '../support/scene.js'
import { answers, idsOf, startSubscriber } from '../support/subscriber.js'
import { until } from '../support/until.js'

const run = promisify(execFile)

t.test('500 three times, then 200: delivered at the configured waits', async t => {
  const subscriber = await startSubscriber((response, received) => {
    response.writeHead(Number(received.headers['relay-attempt']) <= 3 ? 500 : 200).end()
  })
  const home = makeHome({ subscribers: [{ name: 'flaky', url: subscriber.url, retry: ['200ms', '400ms', '800ms'] }] })
  const gateway = await startInProcess(home)
  t.teardown(async () => {
    await gateway.stop()
    await subscriber.close()
    home.remove()
  })

  await gateway.post({ taskId: 't', status: 1, type: 'x' })
  const received = await subscriber.waitFor(4)
  t.strictSame(received.map(({ headers }) => headers['relay-attempt']), ['1', '2', '3', '4'])
  t.equal(new Set(idsOf(received)).size, 1, 'one webhook-id for all of them')
  const waits = received.slice(1).map(({ at }, n) => at - received[n]!.at)
  for (const [n, wanted] of [200, 400, 800].entries()) {
    t.ok(waits[n]! >= wanted - 5, `wait ${n + 1} was ${waits[n]} ms and no shorter than ${wanted} ms`)
  }
  const planned = gateway.log.filter(({ msg }) => msg === 'delivery.retrying').map(line => Number(line['nextAttemptAt']) - Date.parse(String(line['time'])))
  t.equal(planned.length, 3)
  t.ok(planned.every((ms, n) => ms <= [200, 400, 800][n]! + 1), `nor was it to be longer: ${planned.join(', ')} ms`)
})

t.test('one that always fails ends as failed, and a replay delivers it when it is repaired, to nobody else', async t => {
  const broken = await startSubscriber(answers.status(500))
  const healthy = await startSubscriber()
  const home = makeHome({
    subscribers: [
      { name: 'broken', url: broken.url, retry: { attempts: 3, initial: '10ms', factor: 1, max: '10ms' } },
      { name: 'healthy', url: healthy.url }
    ]
  })
  const gateway = await startInProcess(home)
  t.teardown(async () => {
    await gateway.stop()
    await broken.close()
    await healthy.close()
    home.remove()
  })

  const eventId = await accept(gateway, { taskId: 't' })
  await broken.waitFor(3)
  const states = async (): Promise<Record<string, { state: string, attempts: number }>> => {
    const { json } = await gateway.api<EventDetailAnswer>('GET', `/api/v1/events/${eventId}`)
    return Object.fromEntries(json.deliveries.map(({ subscriber, state, attempts }) => [subscriber, { state, attempts }]))
  }
  const failed = await until(async () => {
    const now = await states()
    return now['broken']?.state === 'failed' ? now : undefined
  })
  t.strictSame(failed['broken'], { state: 'failed', attempts: 3 }, 'failed, with the whole budget used')
  await healthy.waitFor(1)

  broken.behave(answers.ok)
  const { stdout } = await run(process.execPath, [
    MAIN, 'replay', '--subscriber', 'broken', '--state', 'failed', '--wait', '--url', gateway.adminUrl, '--token-file', `${home.dir}/data/admin-token`
  ])
  t.match(stdout, /1/, 'the command says what it did')
  const [,,, last] = await broken.waitFor(4)
  t.match(last!.headers, { 'relay-attempt': '4', 'relay-replay': /^rpl_/, 'webhook-id': eventId }, 'attempt numbers go on, the id stays')
  const after = await until(async () => {
    const now = await states()
    return now['broken']?.state === 'delivered' ? now : undefined
  })
  t.strictSame(after['broken'], { state: 'delivered', attempts: 4 })
  t.equal(healthy.received.length, 1, 'nobody else got it again')
})
