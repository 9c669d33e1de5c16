/**
 * Replicas are restarted one after the other behind a load balancer while
 * callbacks keep coming: the sender sees nothing of it, and every event
 * reaches every subscriber.
 */
import t, { type Test } from '../support/tap.js'
import { startBalancer, type Balancer } from '../support/balancer.js'
import type { GatewayProcess, Home, Settings } from '../support/gateway.js'
import { onRedis, setScene, tasksOf, untilNothingIsOpen, type Scene } from '../support/scene.js'
import { answers, type Behaviour } from '../support/subscriber.js'
import { until } from '../support/until.js'

const SENDERS = 4
/** Every so many callbacks a sender sends a duplicate of one that was acknowledged. */
const DUPLICATE_EVERY = 5
/** Acknowledged between two restarts, at least. */
const BETWEEN = 40

/** The balancer sees in it that one stops, also when the machine stands still for a part of it. */
const SHUTDOWN_DELAY = '4s'

/** A sender's side of the story. */
interface Load {
  /** Event ids by task; none yet of one that went to the spool, as after a pause of the machine. */
  acknowledged: Map<string, string | null>
  /** Every answer that was no 200, and every duplicate that was not answered as one. */
  wrong: string[]
  duplicates: () => number
  more: (count: number) => Promise<void>
  stop: () => Promise<void>
}

interface Answer { status: number, json: { status?: string, eventId?: string } }

async function post (url: string, taskId: string): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ taskId, status: 1, type: 'x' }) })
  return { status: response.status, json: await response.json() as Answer['json'] }
}

/** Posts as fast as it is answered; tries nothing twice. */
function startLoad (t: Test, url: string): Load {
  const acknowledged = new Map<string, string | null>()
  const wrong: string[] = []
  let duplicates = 0
  let sent = 0
  let on = true
  t.teardown(() => { on = false })

  async function sendNew (): Promise<void> {
    const taskId = `task-${sent++}`
    const { status, json } = await post(url, taskId)
    if (status === 200 && (json.status === 'accepted' || json.status === 'spooled')) acknowledged.set(taskId, json.eventId ?? null)
    else wrong.push(`${taskId}: ${status} ${JSON.stringify(json)}`)
  }

  async function sendAgain (): Promise<void> {
    const known = [...acknowledged].filter(([, eventId]) => eventId !== null)
    if (known.length === 0) return
    const [taskId, eventId] = known[Math.floor(Math.random() * known.length)]!
    const { status, json } = await post(url, taskId)
    duplicates += 1
    const isRepeat = json.status === 'spooled' || (json.status === 'duplicate' && json.eventId === eventId)
    if (status !== 200 || !isRepeat) wrong.push(`${taskId} again: ${status} ${JSON.stringify(json)}`)
  }

  async function sender (): Promise<void> {
    for (let n = 1; on; n++) {
      try {
        await (n % DUPLICATE_EVERY === 0 ? sendAgain() : sendNew())
      } catch (error) { wrong.push(`no answer: ${String(error)}`) }
    }
  }

  const senders = Array.from({ length: SENDERS }, sender)
  return {
    acknowledged,
    wrong,
    duplicates: () => duplicates,
    async more (count) {
      const goal = acknowledged.size + count
      await until(`${count} more are acknowledged`, () => acknowledged.size >= goal || wrong.length > 0)
    },
    async stop () {
      on = false
      await Promise.all(senders)
    }
  }
}

/** Answers each request when the next but two has come, so that some are always in flight. */
function lagging (): { behaviour: Behaviour, answerAll: () => void } {
  const pending: Array<() => void> = []
  return {
    behaviour (response) {
      pending.push(() => { response.writeHead(204).end() })
      while (pending.length > 2) pending.shift()!()
    },
    answerAll () { for (const answer of pending.splice(0)) answer() }
  }
}

interface Replica { role: string, home: Home, gateway: GatewayProcess }

/** A gateway that keeps its ports, as one behind a load balancer does. */
async function openReplica (scene: Scene, role: string, shared: Settings): Promise<Replica> {
  const settings = { ...shared, shutdownDelay: role === 'deliver' ? '0s' : SHUTDOWN_DELAY }
  const home = scene.home(settings)
  const gateway = await scene.process(home, ['--role', role])
  const listen = (url: string): Settings => url.startsWith('http') ? { listen: new URL(url).host } : {}
  home.configure({ ...settings, ingest: listen(gateway.ingestUrl), admin: listen(gateway.adminUrl) })
  return { role, home, gateway }
}

/** Restarts each replica in turn while callbacks keep coming through the balancer, then ends the load. */
async function restartAll (t: Test, scene: Scene, { replicas, balancer }: { replicas: readonly Replica[], balancer: Balancer }): Promise<Load> {
  const load = startLoad(t, balancer.url)
  const all = balancer.ready().length
  for (const replica of replicas) {
    await load.more(BETWEEN)
    t.equal(await replica.gateway.end('SIGTERM'), 0, `${replica.role} stops cleanly`)
    replica.gateway = await scene.process(replica.home, ['--role', replica.role])
    await until(() => balancer.ready().length === all || undefined)
  }
  await load.more(BETWEEN)
  await load.stop()
  t.strictSame(load.wrong, [], 'no answer other than 200, and every duplicate was answered as one')
  t.strictSame(balancer.troubles, [], 'nothing broke on the way')
  t.comment(`${load.acknowledged.size} acknowledged, ${load.duplicates()} duplicates`)
  t.ok(load.acknowledged.size >= BETWEEN * (replicas.length + 1) && load.duplicates() > 0)
  return load
}

t.test('ingest and deliver replicas restarted in turn, behind a balancer of requests', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const lag = lagging()
  const subscribers = [await scene.subscriber(), await scene.subscriber(lag.behaviour)]
  const settings = {
    ...onRedis(redis),
    subscribers: subscribers.map(({ url }, n) => ({ name: `s${n}`, url, retry: { attempts: 20, initial: '100ms', factor: 1 } }))
  }
  const replicas = await Promise.all(['ingest', 'ingest', 'deliver', 'deliver'].map(async role => await openReplica(scene, role, settings)))
  const balancer = await startBalancer('requests', () => replicas.filter(({ role }) => role === 'ingest').map(({ gateway }) => gateway))
  t.teardown(balancer.close)
  t.equal(balancer.ready().length, 2)
  const { acknowledged } = await restartAll(t, scene, { replicas, balancer })

  subscribers[1]!.behave(answers.ok)
  lag.answerAll()
  for (const [n, subscriber] of subscribers.entries()) {
    await subscriber.waitUntil(() => {
      const got = new Set(tasksOf(subscriber))
      return [...acknowledged.keys()].every(taskId => got.has(taskId))
    })
    t.equal(new Set(tasksOf(subscriber)).size, acknowledged.size, `every acknowledged event, and nothing else, at s${n}`)
  }
  t.strictSame(await untilNothingIsOpen(replicas[0]!.gateway), { failed: 0 }, 'nothing is stuck, nothing failed')
})

t.test('restarted in turn behind a balancer of connections, to which senders hold on', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const subscriber = await scene.subscriber()
  const settings = { ...onRedis(redis), subscribers: [{ name: 'one', url: subscriber.url }] }
  const replicas = await Promise.all(['all', 'all'].map(async role => await openReplica(scene, role, settings)))
  const balancer = await startBalancer('connections', () => replicas.map(({ gateway }) => gateway))
  t.teardown(balancer.close)
  const { acknowledged } = await restartAll(t, scene, { replicas, balancer })
  await subscriber.waitUntil(() => new Set(tasksOf(subscriber)).size === acknowledged.size)
  t.strictSame(await untilNothingIsOpen(replicas[0]!.gateway), { failed: 0 })
})
