/**
 * `npm run failovers`: what a Redis behind Sentinel loses of what the gateway
 * has acknowledged, by settings and by what happens to the primary. A table
 * goes to standard output; ends with 1 when something was lost that
 * `redis.waitReplicas` promises to keep.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { makeHome, startProcess, type GatewayProcess } from '../test/support/gateway.js'
import { tasksOf } from '../test/support/scene.js'
import { startSentinel, type Sentinel } from '../test/support/sentinel.js'
import { answers, startSubscriber } from '../test/support/subscriber.js'

const USAGE = `npm run failovers -- [options]

  --rounds N   failovers for each pair of settings and fault (default 3; each takes about ten seconds)
`

interface Settings { says: string, waitReplicas: number, args: string[] }

const SETTINGS: readonly Settings[] = [
  { says: 'neither', waitReplicas: 0, args: [] },
  { says: 'min-replicas-to-write 1', waitReplicas: 0, args: ['--min-replicas-to-write', '1'] },
  { says: 'both, waitReplicas 1', waitReplicas: 1, args: ['--min-replicas-to-write', '1'] }
]

interface Fault { says: string, begin: (servers: Sentinel) => Promise<void>, lead: (servers: Sentinel) => void }

const FAULTS: readonly Fault[] = [
  { says: 'killed', lead () {}, async begin ({ members: [primary] }) { await primary!.kill() } },
  {
    says: 'killed while its replica lags for two seconds',
    lead ({ members: [, replica] }) { replica!.process.kill('SIGSTOP') },
    async begin ({ members: [primary, replica] }) {
      await primary!.kill()
      replica!.process.kill('SIGCONT')
    }
  },
  { says: 'cut off', lead () {}, async begin ({ members: [primary] }) { primary!.process.kill('SIGSTOP') } }
]

/** A callback is larger than most, so that lagging shows. */
const FILLER = 'x'.repeat(100_000)
const SENDERS = 4
const LEAD_MS = 2_000
const ARRIVED_WITHIN_MS = 60_000

interface Counts { sent: number, acknowledged: number, spooled: number, lost: number }

async function round (settings: Settings, fault: Fault): Promise<Counts> {
  const servers = await startSentinel(1, settings.args)
  const subscriber = await startSubscriber(answers.status(500))
  const home = makeHome({
    redis: { ...servers.settings, waitReplicas: settings.waitReplicas },
    shutdownGrace: '1s',
    subscribers: [{ name: 'a', url: subscriber.url, concurrency: 100, retry: Array.from({ length: 200 }, () => '1s') }]
  })
  let gateway: GatewayProcess | null = null
  try {
    gateway = await startProcess(home)
    const answered = new Map<string, unknown>()
    let goesOn = true
    const senders = Promise.all(Array.from({ length: SENDERS }, async (_, sender) => {
      for (let n = 0; goesOn; n++) {
        const taskId = `${sender}-${n}`
        const { status, json } = await gateway!.post({ taskId, status: 1, type: 'x', filler: FILLER })
        answered.set(taskId, status === 200 ? json['status'] : status)
      }
    }))
    await wait(1_000)
    fault.lead(servers)
    await wait(LEAD_MS)
    const [primary] = servers.members
    await fault.begin(servers)
    await servers.failedOver(primary!)
    goesOn = false
    await senders
    primary!.process.kill('SIGCONT')
    if (primary!.process.signalCode !== null) await primary!.restart()
    subscriber.behave(answers.ok)
    const acknowledged = [...answered].filter(([, status]) => typeof status === 'string')
    const lost = await missingOf(acknowledged.map(([taskId]) => taskId), () => tasksOf(subscriber), gateway)
    return { sent: answered.size, acknowledged: acknowledged.length, spooled: acknowledged.filter(([, status]) => status === 'spooled').length, lost }
  } finally {
    await gateway?.kill()
    await Promise.all([servers.close(), subscriber.close()])
    home.remove()
  }
}

/** Waits until nothing is owed any more, and counts what has not come. */
async function missingOf (tasks: string[], arrived: () => string[], gateway: GatewayProcess): Promise<number> {
  const until = performance.now() + ARRIVED_WITHIN_MS
  for (;;) {
    const { json } = await gateway.api<{ backlog?: { open: number }, spool?: { callbacks: number } }>('GET', '/api/v1/stats').catch(() => ({ json: {} as never }))
    const isOver = json.backlog?.open === 0 && json.spool?.callbacks === 0
    if (isOver || performance.now() > until) break
    await wait(200)
  }
  const there = new Set(arrived())
  return tasks.filter(taskId => !there.has(taskId)).length
}

async function main (): Promise<number> {
  const { values: { rounds = '3', help = false, ...others } } = parseArgs({ strict: false, options: { rounds: { type: 'string' }, help: { type: 'boolean' } } })
  if (help === true || Object.keys(others).length > 0 || !/^[1-9]\d{0,2}$/.test(String(rounds))) {
    process.stdout.write(USAGE)
    return help === true ? 0 : 2
  }
  let broken = false
  process.stdout.write('| the primary is | settings | acknowledged | of these spooled | lost | refused |\n|---|---|---|---|---|---|\n')
  for (const fault of FAULTS) {
    for (const settings of SETTINGS) {
      const sum: Counts = { sent: 0, acknowledged: 0, spooled: 0, lost: 0 }
      for (let n = 0; n < Number(rounds); n++) {
        const counts = await round(settings, fault)
        for (const key of ['sent', 'acknowledged', 'spooled', 'lost'] as const) sum[key] += counts[key]
        process.stderr.write(`${fault.says}, ${settings.says}: ${JSON.stringify(counts)}\n`)
      }
      process.stdout.write(`| ${fault.says} | ${settings.says} | ${sum.acknowledged} | ${sum.spooled} | ${sum.lost} | ${sum.sent - sum.acknowledged} |\n`)
      broken ||= settings.waitReplicas > 0 && sum.lost > 0
    }
  }
  return broken ? 1 : 0
}

process.exitCode = await main()
