/**
 * The process that attempts a delivery is killed, three times over: each time
 * the job runs again when its lock is over, within ten seconds, and it is never
 * failed.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import t from '../support/tap.js'
import { jobIdOf } from '../../src/model/delivery.js'
import { LOCK_MS } from '../../src/queue/bullmq/batch-commands.js'
import { STALLED_CHECK_MS } from '../../src/queue/bullmq/worker.js'
import { readEvent } from '../../src/record/read-event.js'
import { programAt } from '../support/program.js'
import { startRedis } from '../support/redis.js'
import { accepted, openGateway, policyFor, recordingDeliver, type Gateway } from '../support/relay.js'
import { until } from '../support/until.js'

const FIXTURE = programAt(import.meta.url, './fixtures/worker-that-hangs.ts')

const server = await startRedis(['--appendfsync', 'no'])
const children: ChildProcess[] = []
t.teardown(async () => {
  for (const child of children) child.kill('SIGKILL')
  await server.close()
})

/** Starts the process; resolves with it when it has taken a job, and with the job's id. */
async function takeJob (): Promise<{ child: ChildProcess, jobId: string }> {
  const child = spawn(process.execPath, [FIXTURE, server.path, 'relay', 'a'], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const [output] = await once(child.stdout!, 'data') as [Buffer]
  return { child, jobId: output.toString().trim() }
}

/** How long the job would stay locked, and nobody look for crashed ones, if all of them crashed now; milliseconds. */
async function heldUpMs ({ keys, blocking: { redis } }: Gateway, jobId: string): Promise<[lock: number, look: number]> {
  const leftOf = async (key: string): Promise<number> =>
    await until(`${key} is there`, async () => await redis.pttl(`${keys.queuePrefix}:a:${key}`).then(left => left === -2 ? undefined : left))
  return [await leftOf(`${jobId}:lock`), await leftOf('stalled-check')]
}

t.test('a job whose process was killed runs again within 10 s, however often', async t => {
  const gateway = await openGateway(t, server, { prefix: 'relay', policy: policyFor(['a']) })
  const eventId = await accepted(gateway, { taskId: 't1' })
  let { child, jobId } = await takeJob()
  for (let crash = 1; crash <= 3; crash++) {
    t.equal(jobId, jobIdOf(eventId, 1))
    const [lockMs, checkMs] = await heldUpMs(gateway, jobId)
    t.ok(lockMs > 0 && lockMs <= LOCK_MS, `locked for ${lockMs} ms`)
    t.ok(checkMs > 0 && checkMs <= STALLED_CHECK_MS, `looked for after ${checkMs} ms`)
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
    if (crash < 3) {
      ({ child, jobId } = await takeJob())
    } else {
      const { deliver, sent } = recordingDeliver()
      await gateway.work(deliver)
      await until('it is delivered', () => sent.length === 1)
    }
  }
  t.ok(LOCK_MS + 2 * STALLED_CHECK_MS <= 10_000, 'one check finds the job, the next takes it back')
  await until('it is finished', async () => (await gateway.queues.count('a')).jobs === 0)
  t.match((await readEvent(gateway.store, eventId))!.deliveries, [{ state: 'delivered', attempts: 1 }])
})
