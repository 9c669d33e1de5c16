/**
 * A process is never half alive: a fault of its own ends it, with a sentence
 * and code 1, and the next one goes on; when it has no descriptors left it
 * refuses connections, and takes callbacks again as soon as it has some.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t from '../support/tap.js'
import { FAULT } from '../support/fault.js'
import { playFotor } from '../support/fotor.js'
import { limitDescriptors, mayLimit, openedBy } from '../support/limits.js'
import { accept, onRedis, setScene, tasksOf, untilNothingIsOpen } from '../support/scene.js'
import { answers } from '../support/subscriber.js'
import { until } from '../support/until.js'

t.test('a rejection that nobody caught ends the process with 1 and says what it was; nothing acknowledged is lost', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const subscriber = await scene.subscriber(answers.hang)
  const home = scene.home({ ...onRedis(redis), subscribers: [{ name: 'one', url: subscriber.url }] })
  const first = await scene.process(home, [], FAULT.env)
  const taskIds = ['a', 'b', 'c']
  for (const taskId of taskIds) await accept(first, { taskId })
  await subscriber.waitFor(taskIds.length)

  let said = ''
  first.child.stderr!.on('data', (text: string) => { said += text })
  t.equal(await first.end(FAULT.signal), 1)
  t.match(said, /Internal error of fotor-relay; the process exits: Error: planted in a test/)
  subscriber.behave(answers.ok)
  const next = await scene.process(home)
  t.strictSame(await untilNothingIsOpen(next), { failed: 0 })
  t.strictSame([...new Set(tasksOf(subscriber))].sort(), taskIds)
})

t.test('without descriptors it refuses, stays alive, and takes callbacks when it has some again', { skip: !mayLimit() && 'needs prlimit' }, async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const subscriber = await scene.subscriber()
  const gateway = await scene.process(scene.home({ ...onRedis(redis), subscribers: [{ name: 'one', url: subscriber.url }] }))
  await accept(gateway, { taskId: 'before' })
  await subscriber.waitFor(1)

  const pid = gateway.child.pid!
  const most = openedBy(pid) + 8
  await limitDescriptors(pid, most)
  const { hostname, port } = new URL(gateway.ingestUrl)
  const sockets: Socket[] = Array.from({ length: 40 }, () => connect(Number(port), hostname).on('error', () => {}))
  t.teardown(() => { for (const socket of sockets) socket.destroy() })
  await until(() => openedBy(pid) >= most || undefined)
  const fotor = playFotor(t, () => [gateway])
  await until(() => (fotor.answers.get(0) ?? 0) > 0 || undefined)
  t.equal(gateway.child.exitCode, null, 'it lives')

  const closed = sockets.map(async socket => { if (!socket.closed) await once(socket, 'close') })
  for (const socket of sockets) socket.destroy()
  await Promise.all(closed)
  await fotor.more(20)
  await limitDescriptors(pid, most + 100) // for what is asked now
  await fotor.stop()
  await subscriber.waitUntil(() => [...fotor.acknowledged].every(taskId => tasksOf(subscriber).includes(taskId)))
  t.strictSame(await untilNothingIsOpen(gateway), { failed: 0 })
})
