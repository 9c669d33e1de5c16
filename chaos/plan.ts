/**
 * What happens in a run, decided by its seed before it begins: which callbacks
 * are sent when, and what breaks when and for how long. What the machine makes
 * of it differs from run to run; what is done to it does not.
 */
import { randomFrom, type Random } from './random.js'

/** Of these, the first takes callbacks and delivers, the second only takes, the third only delivers. */
export const ROLES = ['all', 'ingest', 'deliver'] as const

/** What the gateways keep everything in: one server; a primary with a replica and a sentinel; three primaries of a cluster with a replica each. */
export type ServersKind = 'redis' | 'sentinel' | 'cluster'

/** Who gets what. `flaky` gives deliveries up after three attempts, so that there is something to replay. */
export const SUBSCRIBERS = [
  { name: 'steady', types: [] as string[], isSecure: false },
  { name: 'flaky', types: [] as string[], isSecure: false },
  { name: 'images', types: ['image*'], isSecure: true }
] as const
/** The one of them who does. */
export const GIVES_UP = 'flaky'
export type SubscriberName = typeof SUBSCRIBERS[number]['name']

/** Each kind, with what it befalls; those of the servers come where these are. */
export const FAULTS = {
  'gateway.kill': 'gateway',
  'gateway.error': 'gateway',
  'gateway.restart': 'gateway',
  'gateway.freeze': 'gateway',
  'gateway.reload': 'gateway',
  'gateway.clock-back': 'gateway',
  'gateway.clock-forward': 'gateway',
  'gateway.no-descriptors': 'gateway',
  'gateway.full-disk': 'gateway',
  'redis.kill': 'redis',
  'redis.freeze': 'redis',
  'redis.full': 'redis',
  'redis.full-disk': 'redis',
  'redis.read-only': 'redis',
  'redis.disconnect': 'redis',
  'redis.foreign-worker': 'redis',
  'redis.lost-lines': 'redis',
  'sentinel.kill': 'redis',
  'sentinel.freeze': 'redis',
  'sentinel.switch': 'redis',
  'sentinel.replica-kill': 'redis',
  'sentinel.replica-freeze': 'redis',
  'cluster.kill': 'redis',
  'cluster.freeze': 'redis',
  'cluster.slot-moves': 'redis',
  'cluster.replica-kill': 'redis',
  'subscriber.away': 'subscriber',
  'subscriber.reset': 'subscriber',
  'subscriber.hang': 'subscriber',
  'subscriber.late': 'subscriber',
  'subscriber.drip': 'subscriber',
  'subscriber.endless': 'subscriber',
  'subscriber.short': 'subscriber',
  'subscriber.odd': 'subscriber',
  'subscriber.hang-up': 'subscriber',
  'subscriber.error': 'subscriber',
  'subscriber.busy': 'subscriber',
  'subscriber.long-rest': 'subscriber',
  'subscriber.garbage': 'subscriber',
  'subscriber.expired': 'secure subscriber',
  'subscriber.moved': 'subscriber',
  'subscriber.name-unknown': 'subscriber',
  'subscriber.name-silent': 'subscriber',
  'operator.pause': 'subscriber',
  'operator.replay': 'operator'
} as const
export type FaultKind = keyof typeof FAULTS

export interface Fault {
  kind: FaultKind
  /** Which gateway or subscriber, from 0. */
  target: number
  /** From the start of the run, milliseconds. */
  atMs: number
  forMs: number
}

/** One notification of one task: however often it is sent, it is one event. */
export interface Notification {
  /** Stands in the body, and in no other notification's. */
  n: number
  taskId: string
  status: number
  type: string
  /** The same content, written differently: key order and white space do not count. */
  bodies: string[]
  /** How often it is sent although it was acknowledged, or at the same time. */
  copies: number
  /** After the one before it was acknowledged, milliseconds. */
  afterMs: number
}

export interface Task {
  atMs: number
  notifications: Notification[]
}

export interface Plan {
  seed: string
  seconds: number
  servers: ServersKind
  /** Redis is kept full while a fault is there, and has room between two of them: so there is always something that is owed. */
  isFull: boolean
  /** How far the clock of each gateway is from the real time, by its place, milliseconds. */
  clocksMs: number[]
  faults: Fault[]
  tasks: Task[]
  /** Sent when the last fault is over, so that there is always something to see that it is well again by. */
  last: Task
}

/** How often each is the cause, of seven times. */
const CAUSES = ['gateway', 'gateway', 'servers', 'servers', 'subscriber', 'subscriber', 'operator'] as const
/** How often each is what a run has, of four times. */
const SERVERS: readonly ServersKind[] = ['redis', 'redis', 'sentinel', 'cluster']

/** Of the runs with one Redis, so many have it kept full. */
const FULL_SHARE = 0.3
/** In so many runs the clocks of the gateways are minutes apart. */
const APART_SHARE = 0.3
const APART_MS = { least: 2 * 60_000, most: 10 * 60_000 }

const TASKS_PER_SECOND = 25
/** Between the beginnings of two faults, milliseconds. */
const FAULT_GAP_MS = { least: 300, most: 1_500 }
const FAULT_MS = { least: 200, most: 4_000 }
/** What has just been mended is left alone for so long, milliseconds. */
const REST_MS = 500
/** Between two faults during which Redis is full it has room for so long, milliseconds. */
const ROOM_MS = 1_000
/** The run begins and ends without faults. */
const CALM_MS = 500

export interface PlanOptions {
  /** One Redis, which is kept full, whatever the seed says of that. */
  isFull?: boolean
}

/** Makes the plan of a seed. */
export function planOf (seed: string, seconds: number, { isFull = false }: PlanOptions = {}): Plan {
  const random = randomFrom(seed)
  const servers = isFull ? 'redis' : random.fork('servers').pick(SERVERS)
  const how = { servers, isFull: isFull || (servers === 'redis' && random.fork('full').chance(FULL_SHARE)) }
  const tasks = tasksOf(random.fork('tasks'), seconds)
  return {
    seed,
    seconds,
    ...how,
    clocksMs: clocksOf(random.fork('clocks')),
    faults: faultsOf(random.fork('faults'), how, seconds * 1_000),
    tasks: tasks.slice(0, -1),
    last: { ...tasks.at(-1)!, atMs: 0 }
  }
}

/** All are right; or the first is, another is ahead and the third behind. */
function clocksOf (random: Random): number[] {
  if (!random.chance(APART_SHARE)) return ROLES.map(() => 0)
  const ahead = random.pick([1, -1])
  return ROLES.map((_, at) => at === 0 ? 0 : (at === 1 ? ahead : -ahead) * random.between(APART_MS.least, APART_MS.most))
}

function faultsOf (random: Random, { servers, isFull }: Pick<Plan, 'servers' | 'isFull'>, runMs: number): Fault[] {
  const faults: Fault[] = []
  const free = new Map<string, number>()
  let atMs = CALM_MS
  while (atMs < runMs - CALM_MS - FAULT_MS.least) {
    const cause = random.pick(CAUSES)
    const prefix = cause === 'servers' ? servers : cause
    const kind = random.pick(kindsOf(prefix, isFull))
    const target = random.pick(targetsOf(kind))
    const forMs = Math.min(random.between(FAULT_MS.least, FAULT_MS.most), runMs - CALM_MS - atMs)
    const victim = victimOf({ kind, target })
    if ((free.get(victim) ?? 0) <= atMs) {
      faults.push({ kind, target, atMs, forMs })
      free.set(victim, atMs + forMs + REST_MS)
    }
    atMs += isFull ? forMs + ROOM_MS : random.between(FAULT_GAP_MS.least, FAULT_GAP_MS.most)
  }
  return faults
}

/** One that is kept full need not be made full. */
function kindsOf (cause: string, isFull: boolean): FaultKind[] {
  const kinds = (Object.keys(FAULTS) as FaultKind[]).filter(kind => kind.startsWith(`${cause}.`))
  return isFull ? kinds.filter(kind => kind !== 'redis.full') : kinds
}

/** Whom a kind can befall. */
function targetsOf (kind: FaultKind): number[] {
  switch (FAULTS[kind]) {
    case 'gateway': return ROLES.map((_, at) => at)
    case 'subscriber': return SUBSCRIBERS.map((_, at) => at)
    case 'secure subscriber': return SUBSCRIBERS.flatMap(({ isSecure }, at) => isSecure ? [at] : [])
    case 'redis':
    case 'operator': return [0]
  }
}

/** Has one fault at a time. */
export function victimOf ({ kind, target }: Pick<Fault, 'kind' | 'target'>): string {
  return `${FAULTS[kind].replace('secure ', '')} ${target}`
}

function tasksOf (random: Random, seconds: number): Task[] {
  let n = 0
  return Array.from({ length: seconds * TASKS_PER_SECOND + 1 }, (_, at) => {
    const taskId = `task-${at}`
    const type = random.pick(['avatar', 'image.upscale', 'image.generate', 'video'])
    const statuses = random.pick([[1], [0, 1], [0, -1, 1], [0, 1, 1], [0, 2], [1, 0], [1, 2]])
    return {
      atMs: random.between(0, seconds * 1_000),
      notifications: statuses.map(status => notificationOf(random, { n: n++, taskId, status, type }))
    }
  })
}

function notificationOf (random: Random, what: Pick<Notification, 'n' | 'taskId' | 'status' | 'type'>): Notification {
  const { n, taskId, status, type } = what
  const note = 'é'.repeat(random.between(0, 200))
  return {
    ...what,
    bodies: [JSON.stringify({ taskId, status, type, n, note }), JSON.stringify({ note, n, type, status, taskId }, null, 2)],
    copies: random.chance(0.3) ? random.between(2, 4) : 1,
    afterMs: random.between(0, 300)
  }
}
