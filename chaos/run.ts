/**
 * One run: begins everything, sends callbacks while faults come and go, ends
 * the faults, waits until nothing is owed any more, replays what was given up,
 * and hands all the books to the ledger.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { describeFault, leftOut, SCRIPTS, whileFull } from './faults.js'
import { judge, type Evidence, type Recorded, type Verdict } from './ledger.js'
import { GIVES_UP, ROLES, SUBSCRIBERS, victimOf, type Fault, type Plan, type ServersKind } from './plan.js'
import { recoveriesOf, type Recovery, type Spell } from './recovery.js'
import { startSender, type Sender } from './sender.js'
import { openStage, type Stage } from './stage.js'

/** After the last fault, how long until nothing is owed; then what is still open is stuck. */
const SETTLE_WITHIN_MS = 90_000
const LOOK_EVERY_MS = 100
/** Who gives up waits as long as it is asked to, hours, and has waited for so many looks: the operator lifts it. */
const LIFT_EVERY = 50

export interface RunOptions {
  /** The gateway's program; the built one when left out. */
  main?: string
  say: (text: string) => void
}

export interface RunResult extends Verdict {
  seed: string
  seconds: number
  servers: ServersKind
  isFull: boolean
  /** The clocks of the gateways were minutes apart. */
  isApart: boolean
  faults: number
  recoveries: Recovery[]
  /** From the end of the last fault until nothing was owed, milliseconds. */
  settledMs: number
}

/** Carries out a plan; everything that it started is gone when it resolves. */
export async function runPlan (plan: Plan, { main, say }: RunOptions): Promise<RunResult> {
  const without = leftOut()
  const faults = plan.faults.filter(({ kind }) => !without.includes(kind))
  const { clocksMs, isFull } = plan
  const stage = await openStage(plan.servers, { main, clocksMs })
  try {
    if (isFull) await prepareFilling(stage)
    const sender = startSender(plan, stage.urls)
    const spells = await playFaults(stage, { faults, isFull }, say)
    const calm = Date.now()
    const last = sender.send(plan.last)
    await bringBack(stage)
    const isSettled = await settle(stage, Promise.all([sender.finished, last]))
    const settledMs = Date.now() - calm
    if (!isSettled) stage.noticed.push(`not settled ${SETTLE_WITHIN_MS / 1_000} s after the last fault`)
    sender.stop()
    const evidence = await gather(stage, sender, spells)
    const { broken, counts } = judge(evidence)
    return {
      seed: plan.seed,
      seconds: plan.seconds,
      servers: plan.servers,
      isFull,
      isApart: clocksMs.some(ms => ms !== 0),
      faults: faults.length,
      broken,
      counts,
      recoveries: recoveriesOf(spells, evidence),
      settledMs
    }
  } finally {
    await stage.close()
  }
}

/** The first filling takes long, the next ones hardly anything: what was written stays. */
async function prepareFilling ({ filler }: Stage): Promise<void> {
  await filler!.fill()
  await filler!.ease()
}

async function playFaults (stage: Stage, { faults, isFull }: Pick<Plan, 'faults' | 'isFull'>, say: (text: string) => void): Promise<Spell[]> {
  const start = performance.now()
  const until = async (atMs: number): Promise<void> => { await wait(Math.max(0, start + atMs - performance.now())) }
  /** The last fault of each victim: the end of one may take longer than was planned, and the next waits for it. */
  const last = new Map<string, Promise<Spell>>()
  const play = async (fault: Fault, before: Promise<Spell> | undefined): Promise<Spell> => {
    await until(fault.atMs)
    await before
    say(describeFault(fault))
    const from = Date.now()
    const script = SCRIPTS[fault.kind]
    const end = await (isFull ? whileFull(script) : script)(stage, fault.target)
    // However long Redis took to get full, it is full for as long as was planned.
    const begunMs = isFull ? performance.now() - start : fault.atMs
    await until(begunMs + fault.forMs)
    const to = Date.now()
    await end()
    return { kind: fault.kind, from, to: Math.max(to, Date.now()) }
  }
  return await Promise.all(faults.map(async fault => {
    const victim = isFull ? 'everything' : victimOf(fault)
    const spell = play(fault, last.get(victim))
    last.set(victim, spell)
    return await spell
  }))
}

/** A pause or its end that could not be ordered while everything was away is ordered now. */
async function bringBack (stage: Stage): Promise<void> {
  for (const { name } of SUBSCRIBERS) {
    await eventually(async () => await stage.api('POST', `/api/v1/subscribers/${name}/resume`).then(() => true, () => false))
  }
}

/** @returns whether nothing is owed now */
async function settle (stage: Stage, finished: Promise<unknown>): Promise<boolean> {
  let isFinished = false
  let looks = 0
  void finished.then(() => { isFinished = true })
  return await eventually(async () => {
    if (++looks % LIFT_EVERY === 0) await stage.api('POST', '/api/v1/replays', { subscriber: GIVES_UP, state: 'retrying' })
    if (!isFinished || !await isSpoolEmpty(stage)) return false
    const { items } = await stage.api<{ items: Array<{ counts: { open: number, held: number, failed: number } }> }>('GET', '/api/v1/subscribers')
    if (items.some(({ counts }) => counts.open + counts.held > 0)) return false
    if (items.every(({ counts }) => counts.failed === 0)) return true
    await stage.api('POST', '/api/v1/replays', { all: true })
    return false
  })
}

async function isSpoolEmpty ({ gateways }: Stage): Promise<boolean> {
  const waiting = await Promise.all(gateways.map(async gateway => {
    const { json } = await gateway.process()!.api<{ spool: { callbacks: number } | null }>('GET', '/api/v1/stats')
    return json.spool?.callbacks ?? 0
  }))
  return waiting.length === ROLES.length && waiting.every(callbacks => callbacks === 0)
}

/** Looks until it holds, or the time is over; a look that fails is looked again. */
async function eventually (holds: () => Promise<boolean>): Promise<boolean> {
  const until = performance.now() + SETTLE_WITHIN_MS
  while (performance.now() < until) {
    if (await holds().catch(() => false)) return true
    await wait(LOOK_EVERY_MS)
  }
  return false
}

async function gather (stage: Stage, { sent }: Sender, spells: Spell[]): Promise<Evidence> {
  const recorded: Recorded[] = []
  let cursor: string | null = null
  do {
    const page: { items: Recorded[], nextCursor: string | null } = await stage.api('GET', `/api/v1/events?limit=500${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`)
    recorded.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== null)
  const { counters } = await stage.api<{ counters: { deletedEarly: number, failedDeletedEarly: number } }>('GET', '/api/v1/stats')
  const deletedEarly = { events: counters.deletedEarly, failed: counters.failedDeletedEarly }
  return { sent, received: stage.received, recorded, spells, deletedEarly, mayForget: stage.servers.redis === null, noticed: stage.noticed }
}
