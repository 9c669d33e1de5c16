/**
 * "Back up, move, restore" of docs/operations.md: a snapshot of the data
 * directory, made at one moment while callbacks come, starts elsewhere with
 * everything that was acknowledged before it, beside the one it was made of.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from '../support/tap.js'
import { answerToRepeat, areTaken, hasAll, sendOnce, sendUntilAccepted, type Sent } from '../support/outage.js'
import { setScene, untilNothingIsOpen } from '../support/scene.js'
import { answers } from '../support/subscriber.js'
import { until } from '../support/until.js'

t.test('a snapshot made under load starts beside its original, with everything acknowledged', async t => {
  const scene = setScene(t)
  const subscriber = await scene.subscriber(answers.status(500))
  const home = scene.home({ subscribers: [{ name: 'a', url: subscriber.url, retry: ['1h'] }] })
  const gateway = await scene.process(home)
  const { pid: serverPid } = (JSON.parse(readFileSync(join(home.dir, 'data', 'redis-server.json'), 'utf8')) as { mark: { pid: number } }).mark

  const sent: Sent[] = []
  let sending = true
  const sender = (async () => { for (let n = 0; sending; n++) sent.push(await sendOnce(gateway, `t${n}`)) })()
  await until(() => sent.length > 300 || undefined)

  const other = scene.home({})
  rmSync(join(other.dir, 'data'), { recursive: true, force: true })
  // What a file system's snapshot does: nothing moves while it is made.
  gateway.child.kill('SIGSTOP')
  process.kill(serverPid, 'SIGSTOP')
  const acknowledged = sent.length
  execFileSync('cp', ['-a', join(home.dir, 'data'), join(other.dir, 'data')])
  process.kill(serverPid, 'SIGCONT')
  gateway.child.kill('SIGCONT')
  sending = false
  await sender

  const receiver = await scene.subscriber()
  other.configure({ subscribers: [{ name: 'a', url: receiver.url, retry: ['1s'] }] })
  const restored = await scene.process(other)
  await restored.api('POST', '/api/v1/replays', { subscriber: 'a', state: 'retrying' })
  await untilNothingIsOpen(restored)
  const expected = sent.slice(0, acknowledged)
  t.ok(expected.length > 300 && areTaken(expected))
  await receiver.waitUntil(() => hasAll(receiver, expected))
  t.pass('everything that was acknowledged before it')
  t.equal(await answerToRepeat(restored, 't0'), 'duplicate')
  await sendUntilAccepted(gateway, 'after') // the original goes on
})

t.test('a copy of a stopped gateway, put in the place of the old one, is the old one', async t => {
  const scene = setScene(t)
  const subscriber = await scene.subscriber(answers.status(500))
  const settings = { subscribers: [{ name: 'a', url: subscriber.url, retry: ['1h'] }] }
  const home = scene.home(settings)
  const gateway = await scene.process(home)
  const sent: Sent[] = []
  for (let n = 0; n < 20; n++) sent.push(await sendOnce(gateway, `t${n}`))
  await gateway.stop()
  const [data, copy] = [join(home.dir, 'data'), join(home.dir, 'copy')]
  cpSync(data, copy, { recursive: true })
  rmSync(data, { recursive: true })
  cpSync(copy, data, { recursive: true, mode: 0 })
  execFileSync('chmod', ['700', data])
  subscriber.behave(answers.ok)
  const next = await scene.process(home)
  await next.api('POST', '/api/v1/replays', { subscriber: 'a', state: 'retrying' })
  await untilNothingIsOpen(next)
  t.ok(hasAll(subscriber, sent))
  t.equal(await answerToRepeat(next, 't3'), 'duplicate')
})
