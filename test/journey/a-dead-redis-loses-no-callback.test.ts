/**
 * Promises 1 and 6: while Redis is away the edge answers 200 all the same and
 * does not wait for it, because the callback is on the local disk; and when Redis is back each
 * of them is an event like any other, with the time at which it arrived, and
 * nobody has restarted anything.
 */
import t from '../support/tap.js'
import { allArrived, areTaken, OUTAGES, sendMany, sendUntilAccepted, setSpoolStage, sitOut, statusesOf, type Sent } from '../support/outage.js'
import { accept } from '../support/scene.js'
import { answers } from '../support/subscriber.js'

for (const outage of Object.values(OUTAGES)) {
  t.test(`Redis ${outage.says} for 1 s: every callback is answered 200 meanwhile and delivered once`, async t => {
    await sitOut(t, outage, 1_000)
  })
}

t.test('a subscriber that is down while Redis comes and goes gets everything in the end', async t => {
  const { redis, gateway, subscribers } = await setSpoolStage(t, { delivery: { retry: ['100ms', '200ms', '500ms', '500ms', '500ms', '1s', '1s', '1s', '1s', '1s'] } })
  const [, down] = subscribers
  down.behave(answers.status(500))
  const acknowledged: Sent[] = []
  for (let round = 0; round < 5; round++) {
    acknowledged.push(...await sendMany(gateway, `up-${round}`, 10))
    await redis.kill()
    acknowledged.push(...await sendMany(gateway, `down-${round}`, 10))
    await redis.restart()
    await sendUntilAccepted(gateway, `probe-${round}`)
  }
  down.behave(answers.ok)
  t.ok(areTaken(acknowledged) && statusesOf(acknowledged).includes('spooled'))
  await allArrived(t, { subscribers, gateway }, acknowledged)
  t.match(await accept(gateway, { taskId: 'last' }), /^evt_/)
})
