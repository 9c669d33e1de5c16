/**
 * What happens in a run, decided by its seed before it begins: which callbacks
 * are sent when, and what breaks when and for how long. What the machine makes
 * of it differs from run to run; what is done to it does not.
 */
import { randomFrom, type Random } from './random.js'

/** Of these, the first takes callbacks and delivers, the second only takes, the third only delivers. */
export const ROLES = ['all', 'ingest', 'deliver'] as const

/** Who gets what. `flaky` gives deliveries up after three attempts, so that there is something to replay. */
export const SUBSCRIBERS = [
  { name: 'steady', types: [] as string[] },
  { name: 'flaky', types: [] as string[] },
  { name: 'images', types: ['image*'] }
] as const
/** The one of them who does. */
export const GIVES_UP = 'flaky'
export type SubscriberName = typeof SUBSCRIBERS[number]['name']

/** Each kind, with what it befalls. */
export const FAULTS = {
  'gateway.kill': 'gateway',
  'gateway.restart': 'gateway',
  'gateway.freeze': 'gateway',
  'gateway.reload': 'gateway',
  'redis.kill': 'redis',
  'redis.freeze': 'redis',
  'redis.full': 'redis',
  'redis.read-only': 'redis',
  'redis.disconnect': 'redis',
  'subscriber.reset': 'subscriber',
  'subscriber.hang': 'subscriber',
  'subscriber.error': 'subscriber',
  'subscriber.busy': 'subscriber',
  'subscriber.garbage': 'subscriber',
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
  faults: Fault[]
  tasks: Task[]
}

const TASKS_PER_SECOND = 25
/** Between the beginnings of two faults, milliseconds. */
const FAULT_GAP_MS = { least: 300, most: 1_500 }
const FAULT_MS = { least: 200, most: 4_000 }
/** What has just been mended is left alone for so long, milliseconds. */
const REST_MS = 500
/** The run begins and ends without faults. */
const CALM_MS = 500

/** Makes the plan of a seed. */
export function planOf (seed: string, seconds: number): Plan {
  const random = randomFrom(seed)
  return { seed, seconds, faults: faultsOf(random.fork('faults'), seconds * 1_000), tasks: tasksOf(random.fork('tasks'), seconds) }
}

function faultsOf (random: Random, runMs: number): Fault[] {
  const faults: Fault[] = []
  const free = new Map<string, number>()
  let atMs = CALM_MS
  while (atMs < runMs - CALM_MS - FAULT_MS.least) {
    const kind = random.pick(Object.keys(FAULTS) as FaultKind[])
    const befalls = FAULTS[kind]
    const target = befalls === 'gateway' ? random.between(0, ROLES.length - 1) : befalls === 'subscriber' ? random.between(0, SUBSCRIBERS.length - 1) : 0
    const forMs = Math.min(random.between(FAULT_MS.least, FAULT_MS.most), runMs - CALM_MS - atMs)
    const victim = `${befalls} ${target}`
    if ((free.get(victim) ?? 0) <= atMs) {
      faults.push({ kind, target, atMs, forMs })
      free.set(victim, atMs + forMs + REST_MS)
    }
    atMs += random.between(FAULT_GAP_MS.least, FAULT_GAP_MS.most)
  }
  return faults
}

function tasksOf (random: Random, seconds: number): Task[] {
  let n = 0
  return Array.from({ length: seconds * TASKS_PER_SECOND }, (_, at) => {
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
