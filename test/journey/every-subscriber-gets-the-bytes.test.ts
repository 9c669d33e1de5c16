/**
 * Promises 2 and 5: every accepted event reaches every matching subscriber,
 * and the body arrives exactly as it was posted. With the vendor's own sample,
 * over real HTTP, through the running gateway.
 */
import { readFileSync, readdirSync } from 'node:fs'
import t from '../support/tap.js'
import { makeHome, startInProcess } from '../support/gateway.js'
import { acceptBytes } from '../support/scene.js'
import { startSubscriber } from '../support/subscriber.js'

const SAMPLES = new URL('../samples/', import.meta.url)

t.test('each sample is accepted and reaches all of its subscribers byte for byte', async t => {
  const [everything, avatars, finished] = await Promise.all([startSubscriber(), startSubscriber(), startSubscriber()])
  const home = makeHome({
    subscribers: [
      { name: 'everything', url: everything.url },
      { name: 'avatars', url: avatars.url, match: { types: ['avatar', 'img*'] } },
      { name: 'finished', url: finished.url, match: { statuses: [1, 2] } }
    ]
  })
  const gateway = await startInProcess(home)
  t.teardown(async () => {
    await gateway.stop()
    await Promise.all([everything, avatars, finished].map(async subscriber => { await subscriber.close() }))
    home.remove()
  })

  // A task in progress comes before its end, or it would be late and not delivered.
  const files = readdirSync(SAMPLES).filter(name => name.endsWith('.json'))
    .sort((a, b) => Number(b === 'in-progress.json') - Number(a === 'in-progress.json'))
  t.ok(files.includes('avatar.json'), "the vendor's own example is among them")
  const bodies = files.map(name => readFileSync(new URL(name, SAMPLES)))
  for (const body of bodies) await acceptBytes(gateway, body)

  await everything.waitFor(bodies.length)
  for (const body of bodies) {
    t.ok(everything.received.some(received => received.body.equals(body)), 'arrived as it was')
  }
  const wanted = (types: RegExp): number => bodies.filter(body => types.test(body.toString())).length
  await avatars.waitFor(wanted(/"type":\s*"(avatar|img)/))
  await finished.waitFor(wanted(/"status":\s*"?[12]/))
  t.equal(avatars.received.length, wanted(/"type":\s*"(avatar|img)/), 'and no other event reached those who want some')
  t.equal(finished.received.length, wanted(/"status":\s*"?[12]/))
})

t.test('bytes that no JSON writer would make arrive as they came', async t => {
  const subscriber = await startSubscriber()
  const home = makeHome({ subscribers: [{ name: 'one', url: subscriber.url }] })
  const gateway = await startInProcess(home)
  t.teardown(async () => {
    await gateway.stop()
    await subscriber.close()
    home.remove()
  })
  const body = Buffer.from('\r\n {"status" :1,\t"taskId":"t\\u0031","type":"x","n":1.50e+02,"n":12345678901234567890,"s":"\\ud800 é ☃"}  \n')

  const { status } = await gateway.post(body, { 'content-type': 'text/plain; charset=latin1' })
  const [received] = await subscriber.waitFor(1)
  t.equal(status, 200)
  t.ok(received!.body.equals(body))
  t.equal(received!.headers['content-type'], 'text/plain; charset=latin1', 'and so does the content type')
  t.equal(received!.headers['relay-task-id'], 't1')
})
