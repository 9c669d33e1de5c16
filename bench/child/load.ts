/**
 * The load generator, a process of its own.
 *
 * `closed` keeps every connection busy and finds a ceiling. `open` posts on a
 * schedule that does not wait for answers, and counts each latency from the
 * moment the request was DUE: a server that stalls is charged for everything
 * that should have been sent meanwhile (no coordinated omission).
 */
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import { bodyOf, taskNames } from '../body.js'
import { nowUs } from '../clock.js'
import { quantilesOf, type Quantiles } from '../quantiles.js'
import { answerOrders } from './answer.js'
import { openWire, type Place, type Wire } from './wire.js'

export interface Closed extends Place {
  connections: number
  seconds: number
  /** `fresh`: each callback is new. `repeats`: a few callbacks, again and again. */
  bodies: 'fresh' | 'repeats'
}

export interface ClosedResult {
  perSecond: number
  latencyMs: Quantiles
  /** Answers other than 200, and connections that were lost. */
  refused: number
  /** Answers that said `duplicate`. */
  duplicates: number
}

export interface Open extends Place { connections: number, perSecond: number, seconds: number }

export interface OpenResult {
  /** Answers per second, until the last one came: less than was offered when the server fell behind. */
  perSecond: number
  latencyMs: Quantiles
  /** How late the generator itself was to send; large on a machine that is too busy to measure. */
  lateMs: Quantiles
  refused: number
}

/** How many callbacks `repeats` has. */
const REPEATED = 256
/** A timer may fire this much late, so the last stretch is waited for turn by turn when there is time for it. */
const TIMER_SLACK_US = 1_500
/** Below this rate waiting turn by turn costs little. */
const PRECISE_BELOW_PER_SECOND = 250

const nextTask = taskNames()
const repeated = Array.from({ length: REPEATED }, () => bodyOf(nextTask(), 0))

async function openWires ({ connections, ...place }: Place & { connections: number }): Promise<Wire[]> {
  return await Promise.all(Array.from({ length: connections }, async () => await openWire(place)))
}

async function closed ({ seconds, bodies, ...place }: Closed): Promise<ClosedResult> {
  const wires = await openWires(place)
  const latencies: number[] = []
  let [refused, duplicates, next] = [0, 0, 0]
  const startUs = nowUs()
  const endUs = startUs + seconds * 1e6

  await Promise.all(wires.map(async wire => {
    for (let sentUs = nowUs(); sentUs < endUs; sentUs = nowUs()) {
      const body = bodies === 'fresh' ? bodyOf(nextTask(), sentUs) : repeated[next++ % REPEATED]!
      const reply = await wire.post(body)
      if (reply.status !== 200) refused++
      if (reply.body.includes('"duplicate"')) duplicates++
      latencies.push((nowUs() - sentUs) / 1e3)
    }
  }))

  const tookUs = nowUs() - startUs
  for (const wire of wires) wire.close()
  return { perSecond: latencies.length / tookUs * 1e6, latencyMs: quantilesOf(latencies), refused, duplicates }
}

async function open ({ perSecond, seconds, ...place }: Open): Promise<OpenResult> {
  const idle = await openWires(place)
  const all = [...idle]
  const [latencies, lates]: [number[], number[]] = [[], []]
  const overdue: number[] = []
  let refused = 0

  /** A wire posts what is due until nothing is; what had to wait for a wire keeps the time it was due at. */
  async function post (wire: Wire, firstUs: number): Promise<void> {
    for (let dueUs: number | undefined = firstUs; dueUs !== undefined; dueUs = overdue.shift()) {
      lates.push((nowUs() - dueUs) / 1e3)
      const { status } = await wire.post(bodyOf(nextTask(), dueUs))
      if (status !== 200) refused++
      latencies.push((nowUs() - dueUs) / 1e3)
    }
    idle.push(wire)
  }

  const under: Array<Promise<void>> = []
  const startUs = nowUs() + 1e4
  for (let at = 0; at < perSecond * seconds; at++) {
    const dueUs = startUs + Math.round(at / perSecond * 1e6)
    await until(dueUs, perSecond < PRECISE_BELOW_PER_SECOND)
    const wire = idle.shift()
    if (wire === undefined) overdue.push(dueUs)
    else under.push(post(wire, dueUs))
  }
  await Promise.all(under)
  const tookUs = nowUs() - startUs
  for (const wire of all) wire.close()
  return { perSecond: latencies.length / tookUs * 1e6, latencyMs: quantilesOf(latencies), lateMs: quantilesOf(lates), refused }
}

async function until (dueUs: number, precise: boolean): Promise<void> {
  for (let leftUs = dueUs - nowUs(); leftUs > 0; leftUs = dueUs - nowUs()) {
    if (!precise) await wait(Math.ceil(leftUs / 1e3))
    else if (leftUs > TIMER_SLACK_US) await wait(Math.max(1, Math.floor((leftUs - TIMER_SLACK_US) / 1e3)))
    else await turn()
  }
}

const orders = { closed, open }
export type LoadOrders = typeof orders
answerOrders(orders)
