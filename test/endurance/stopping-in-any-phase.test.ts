/**
 * Promise 6: SIGTERM ends the process with 0, whatever it is doing; what was
 * acknowledged is delivered by the next one.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from '../support/tap.js'
import { MAIN, type GatewayProcess, type Home } from '../support/gateway.js'
import { hasAll, sendMany, setSpoolStage, type SpoolStage } from '../support/outage.js'
import { setScene, untilNothingIsOpen } from '../support/scene.js'
import { answers } from '../support/subscriber.js'
import { until } from '../support/until.js'

/** A start that is told to stop as soon as it has logged this; resolves with its exit code. */
async function stoppedAt (home: Home, msg: RegExp): Promise<number | null> {
  const child = spawn(process.execPath, [MAIN, 'start', '--config', home.configFile], { stdio: ['ignore', 'pipe', 'ignore'] })
  let told = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (told || !msg.test(text)) return
    told = true
    child.kill('SIGTERM')
  })
  const [code] = await once(child, 'exit') as [number | null]
  return code
}

for (const [says, msg] of [
  ['its Redis has been started', /own redis server is running/], ['Redis is connected', /"redis\.state"/],
  ['the operators\' side is open', /admin listener is open/], ['everything is open', /gateway is open/]
] as const) {
  t.test(`told to stop during the start, when ${says}: it ends with 0, and the next start is none the wiser`, async t => {
    const scene = setScene(t)
    const subscriber = await scene.subscriber()
    const home = scene.home({ subscribers: [{ name: 'a', url: subscriber.url }] })
    const first = await scene.process(home)
    const sent = await sendMany(first, 'before', 5)
    await first.kill()
    t.equal(await stoppedAt(home, msg), 0)
    const next = await scene.process(home)
    await until(() => hasAll(subscriber, sent) || undefined)
    await untilNothingIsOpen(next)
  })
}

/** What a gateway is in the middle of when it is told to stop. */
const PHASES: ReadonlyArray<[says: string, begin: (stage: SpoolStage, t: Test) => Promise<unknown>]> = [
  ['while it drains its spool', async ({ redis, gateway, subscribers }) => {
    await redis.kill()
    await sendMany(gateway, 'spooled', 300)
    await redis.restart()
    await until(() => subscribers[0].received.length > 5 || undefined)
  }],
  ['while it puts a replay back', async ({ gateway, subscribers: [one] }) => {
    one.behave(answers.status(500))
    await sendMany(gateway, 'failing', 200)
    await until(async () => (await untilNothingIsOpen(gateway)).failed >= 200 || undefined)
    one.behave(answers.ok)
    const failing = one.received.length
    await gateway.api('POST', '/api/v1/replays', { subscriber: 's0', state: 'failed', ratePerSecond: 100 })
    await until(() => one.received.length > failing + 5 || undefined)
  }],
  ['while it takes up a new configuration', async ({ gateway, subscribers }) => {
    await sendMany(gateway, 'task', 100)
    void gateway.api('POST', '/api/v1/config/reload').catch(() => {})
    await until(() => subscribers[0].received.length > 0 || undefined)
  }],
  ['while Redis hangs', async ({ redis, gateway }) => {
    redis.process.kill('SIGSTOP')
    await sendMany(gateway, 'frozen', 10)
  }],
  ['while all its subscribers hang', async ({ gateway, subscribers }) => {
    for (const subscriber of subscribers) subscriber.behave(answers.hang)
    await sendMany(gateway, 'hanging', 60)
    await until(() => subscribers.every(({ received }) => received.length > 0) || undefined)
  }]
]

for (const [says, begin] of PHASES) {
  t.test(`SIGTERM ${says}: it ends with 0, and the next one delivers the rest`, async t => {
    const stage = await setSpoolStage(t, { delivery: { breaker: { enabled: false }, retry: ['1ms'] } })
    const { scene, redis, gateway, subscribers } = stage
    const before = await sendMany(gateway, 'before', 10)
    await begin(stage, t)
    t.equal(await gateway.end('SIGTERM'), 0)
    redis.process.kill('SIGCONT')
    for (const subscriber of subscribers) subscriber.behave(answers.ok)
    const next: GatewayProcess = await scene.process(gateway.home)
    await until(() => subscribers.every(subscriber => hasAll(subscriber, before)) || undefined)
    await untilNothingIsOpen(next)
    await until(async () => {
      const { json } = await next.api<{ spool: { callbacks: number }, backlog: { open: number, failed: number } }>('GET', '/api/v1/stats')
      return (json.spool.callbacks === 0 && json.backlog.open === 0 && json.backlog.failed === 0) || undefined
    })
  })
}
