/**
 * Promise 6: a restart on a newer version reads what an older one wrote.
 *
 * `record-1.json` and `export-1.ndjson` were written by the first release that
 * wrote format 1, and are never made anew: a new format adds files of its own.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from '../support/tap.js'
import { runCommand } from '../support/command.js'
import type { GatewayProcess, Home } from '../support/gateway.js'
import { onRedis, sendDuplicate, setScene, tasksOf, untilNothingIsOpen, type ExternalRedis, type Scene } from '../support/scene.js'
import type { TestSubscriber } from '../support/subscriber.js'
import { until } from '../support/until.js'

/** When the samples were written, epoch milliseconds. */
const WRITTEN_AT = 1_795_606_141_182

/** A sample as if it had been written now: its times, milliseconds and microseconds, are moved by as much. */
function sample (name: string): string {
  const movedMs = Date.now() - WRITTEN_AT
  const text = readFileSync(new URL(`../samples/formats/${name}`, import.meta.url), 'utf8')
  return text.replace(/\b17956\d{8}(\d{3})?\b/g, (time, micros: string | undefined) => String(Number(time) + (micros === undefined ? movedMs : movedMs * 1_000)))
}

interface Stage { scene: Scene, redis: ExternalRedis, billing: TestSubscriber, reports: TestSubscriber, home: Home }

async function setStage (t: Test): Promise<Stage> {
  const scene = setScene(t)
  const redis = await scene.redis()
  const [billing, reports] = [await scene.subscriber(), await scene.subscriber()]
  const home = scene.home({ ...onRedis(redis), subscribers: [{ name: 'billing', url: billing.url }, { name: 'reports', url: reports.url }] })
  return { scene, redis, billing, reports, home }
}

/** What was owed is delivered, what was paused waits, a duplicate is a duplicate, and what failed can be replayed. */
async function worksWithIt (t: Test, { billing, reports }: Stage, gateway: GatewayProcess): Promise<void> {
  await until(() => ['delivered', 'queued', 'retrying'].every(task => tasksOf(billing).includes(task)) || undefined)
  t.match(billing.received.find(({ headers }) => headers['relay-task-id'] === 'queued')?.body.toString(), /"note":"ünï😀"/)
  t.equal(reports.received.length, 0, 'it is paused')
  t.match(await sendDuplicate(gateway, { status: 1, type: 'avatar', taskId: 'delivered' }), { json: { status: 'duplicate' } })
  await gateway.api('POST', '/api/v1/subscribers/reports/resume')
  await gateway.api('POST', '/api/v1/replays', { state: 'failed', all: true })
  await until(() => [billing, reports].every(subscriber => tasksOf(subscriber).includes('failed')) || undefined)
  t.strictSame(await untilNothingIsOpen(gateway), { failed: 0 })
  t.match((await gateway.api('GET', '/api/v1/events?limit=100')).json, { items: { length: 8 } })
}

t.test('a gateway on data of format 1 goes on with it', async t => {
  const stage = await setStage(t)
  const client = stage.redis.client()
  for (const [command, ...words] of JSON.parse(sample('record-1.json')) as string[][]) await client.call(command!, ...words)
  await worksWithIt(t, stage, await stage.scene.process(stage.home))
})

t.test('an export of format 1 is imported', async t => {
  const stage = await setStage(t)
  const file = join(stage.home.dir, 'export.ndjson')
  writeFileSync(file, sample('export-1.ndjson'))
  t.match(await runCommand(['import', file, '--config', stage.home.configFile]), { code: 0, err: /8 events and 5 tasks imported, 1 pause set/ })
  await worksWithIt(t, stage, await stage.scene.process(stage.home))
})
