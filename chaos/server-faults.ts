/**
 * What befalls Redis, by its kind. Where there are replicas, a fault is over
 * when every server has come back and the replicas have what the primary has:
 * before that no callback can be made as safe as `redis.waitReplicas` wants it.
 */
import { EventEmitter, once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Worker } from 'bullmq'
import { cutTornEnd } from '../src/redis/torn-end.js'
import { limitFiles } from '../test/support/limits.js'
import { REDIS, type TestRedis } from '../test/support/redis.js'
import { nothing, type FaultScript } from './fault-script.js'
import { SUBSCRIBERS } from './plan.js'
import type { Servers } from './servers.js'

/** On a full disk there is still room for so many bytes. */
const ROOM_BYTES = 20_000
/** The tag of every key of a gateway stands in its slot. */
const KEY = '{relay}:events'
/** A key that is always there: the first to move with its slot. */
const FIRST_KEY = '{relay}:stats'
/** Of the keys of the queues. */
const QUEUES = '{relay}:queue'
/** In which jobs stand. */
const LINES = ['wait', 'delayed', 'active']

/** The size of the file that Redis appends to, bytes. */
async function sizeOfLog (socket: string): Promise<number> {
  const dir = join(dirname(socket), 'appendonlydir')
  const files = (await readdir(dir)).filter(file => file.endsWith('.incr.aof'))
  return Math.max(...await Promise.all(files.map(async file => (await stat(join(dir, file))).size)))
}

/** As whoever runs it does, when it has read the runbook. */
async function startAgain (redis: TestRedis): Promise<void> {
  await redis.kill()
  await cutTornEnd({ program: REDIS, dataDir: dirname(redis.path) })
  await redis.restart()
}

/** One command to the server; a server that is away takes none. */
function commanding (begin: string[], end: string[]): FaultScript {
  return async ({ servers: { redis } }) => {
    await redis!.client().call(begin[0]!, ...begin.slice(1))
    return async () => { await redis!.client().call(end[0]!, ...end.slice(1)) }
  }
}

/** As somebody does who tidies up: the jobs stay, and stand in no line. */
async function loseLines (redis: TestRedis): Promise<void> {
  await redis.client().unlink(SUBSCRIBERS.flatMap(({ name }) => LINES.map(line => `${QUEUES}:${name}:${line}`)))
}

/** Of a program that is not ours: takes jobs, and says that they are done. */
function foreignWorker (queue: string, redis: TestRedis): Worker {
  const worker = new Worker(queue, async () => {}, { connection: { path: redis.path, maxRetriesPerRequest: null }, prefix: QUEUES, concurrency: 4 })
  worker.on('error', nothing)
  return worker
}

/** Of several servers, the one that it befalls, and how to wait until they are whole. */
type Chosen = (servers: Servers) => Promise<{ server: TestRedis, whole: () => Promise<void> }>

const primary: Chosen = async ({ sentinel }) => ({ server: await sentinel!.primary(), whole: sentinel!.whole })
const replica: Chosen = async ({ sentinel }) => {
  const leader = await sentinel!.primary()
  return { server: sentinel!.members.find(member => member !== leader)!, whole: sentinel!.whole }
}
const owner: Chosen = async ({ cluster }) => ({ server: await cluster!.ownerOf(KEY), whole: cluster!.whole })
const replicaOfOwner: Chosen = async ({ cluster }) => ({ server: await cluster!.replicaOf(KEY), whole: cluster!.whole })

function killed (choose: Chosen): FaultScript {
  return async ({ servers }) => {
    const { server, whole } = await choose(servers)
    await server.kill()
    return async () => {
      await server.restart()
      await whole()
    }
  }
}

function frozen (choose: Chosen): FaultScript {
  return async ({ servers }) => {
    const { server, whole } = await choose(servers)
    server.process.kill('SIGSTOP')
    return async () => {
      server.process.kill('SIGCONT')
      await whole()
    }
  }
}

/** By kind. */
export const SERVER_FAULTS = {
  'redis.kill': async ({ servers: { redis } }) => {
    await redis!.kill()
    return async () => { await startAgain(redis!) }
  },
  'redis.freeze': ({ servers: { redis } }) => {
    redis!.process.kill('SIGSTOP')
    return () => redis!.process.kill('SIGCONT')
  },
  'redis.full': commanding(['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']),
  // It ends in the middle of a write, as on a disk that is full.
  'redis.full-disk': async ({ servers: { redis } }) => {
    await limitFiles(redis!.process.pid!, await sizeOfLog(redis!.path) + ROOM_BYTES)
    return async () => { await startAgain(redis!) }
  },
  'redis.read-only': commanding(['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']),
  'redis.disconnect': async ({ servers: { redis } }) => {
    await redis!.client().call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    return nothing
  },
  'redis.foreign-worker': ({ servers: { redis } }) => {
    const workers = SUBSCRIBERS.map(({ name }) => foreignWorker(name, redis!))
    return async () => { await Promise.all(workers.map(async worker => { await worker.close() })) }
  },
  // At its beginning, and again at its end.
  'redis.lost-lines': async ({ servers: { redis } }) => {
    await loseLines(redis!)
    return async () => { await loseLines(redis!) }
  },
  // Longer than its sentinel waits, and it is a failover.
  'sentinel.kill': killed(primary),
  'sentinel.freeze': frozen(primary),
  'sentinel.switch': async ({ servers: { sentinel } }) => {
    await sentinel!.failOver().catch(nothing) // it may not see a replica that is fit for it; then nothing happens
    return sentinel!.whole
  },
  'sentinel.replica-kill': killed(replica),
  'sentinel.replica-freeze': frozen(replica),
  'cluster.kill': killed(owner),
  'cluster.freeze': frozen(owner),
  // Stays between two nodes until it is ended.
  'cluster.slot-moves': async ({ servers: { cluster } }) => {
    const to = await cluster!.otherPrimary(KEY)
    const steps = new EventEmitter()
    const halfWay = once(steps, 'half-way')
    const moved = cluster!.moveSlot(KEY, to, {
      key: FIRST_KEY,
      meanwhile: async () => {
        const end = once(steps, 'end')
        steps.emit('half-way')
        await end
      }
    })
    await Promise.race([halfWay, moved])
    return async () => {
      steps.emit('end')
      await moved
      await cluster!.whole()
    }
  },
  'cluster.replica-kill': killed(replicaOfOwner)
} satisfies Record<string, FaultScript>
