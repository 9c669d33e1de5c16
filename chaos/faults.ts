/**
 * How each kind of fault begins and ends.
 */
import { freeDescriptors, limitDescriptors, limitFiles, mayLimit, openedBy } from '../test/support/limits.js'
import { CONDUCTS, WELL } from './conduct.js'
import { nothing, type FaultScript } from './fault-script.js'
import { GIVES_UP, SUBSCRIBERS, type Fault, type FaultKind } from './plan.js'
import { SERVER_FAULTS } from './server-faults.js'
import { hostOf, treating, type Stage } from './stage.js'

/** How far a clock is set, milliseconds. */
const CLOCK_MS = 20_000
/** A gateway that has no descriptors left may open so many. */
const SPARE_DESCRIPTORS = 2
/** On a full disk a file of a gateway's is no longer than this, bytes: what is written to it ends in the middle. */
const SPOOL_BYTES = 2_000
/** Between which a subscriber moves. */
const ADDRESSES = ['127.0.0.1', '127.0.0.2']

function signals (first: NodeJS.Signals, then: NodeJS.Signals): FaultScript {
  return ({ gateways }, target) => {
    gateways[target]!.process()?.child.kill(first)
    return () => gateways[target]!.process()?.child.kill(then)
  }
}

function ending (how: 'kill' | 'stop' | 'fail'): FaultScript {
  return async ({ gateways }, target) => {
    await gateways[target]!.end(how)
    return async () => { await gateways[target]!.start() }
  }
}

function behaving (how: keyof typeof CONDUCTS): FaultScript {
  return ({ subscribers, received }, target) => {
    const treat = (conduct: typeof WELL): void => { subscribers[target]!.behave(treating(received, SUBSCRIBERS[target]!.name, conduct)) }
    treat(CONDUCTS[how])
    return () => { treat(WELL) }
  }
}

function clockSet (offsetMs: number): FaultScript {
  return ({ gateways }, target) => {
    gateways[target]!.setClock(offsetMs)
    return () => { gateways[target]!.setClock(0) }
  }
}

/** Takes a gateway something and gives it back; one that is not up lacks nothing. */
function lacking (begin: (pid: number) => Promise<void>, end: (pid: number) => Promise<void>): FaultScript {
  return async ({ gateways }, target) => {
    const pid = gateways[target]!.process()?.child.pid
    if (pid === undefined) return nothing
    await begin(pid)
    return async () => { await end(pid) }
  }
}

/** Nobody knows where it is; what is connected is closed, so that somebody asks. */
function nameless (answer: 'unknown' | 'silent'): FaultScript {
  return async ({ subscribers, names }, target) => {
    const [subscriber, host] = [subscribers[target]!, hostOf(SUBSCRIBERS[target]!.name)]
    names.set(host, answer)
    await subscriber.leave()
    await subscriber.comeBack()
    return () => { names.set(host, subscriber.address()) }
  }
}

/** What the operator orders may fail while Redis or every gateway is away; then nothing was ordered. */
async function order (stage: Stage, path: string, body?: object): Promise<void> {
  await stage.api('POST', path, body).catch(nothing)
}

/** By kind. */
export const SCRIPTS: Record<FaultKind, FaultScript> = {
  ...SERVER_FAULTS,
  'gateway.kill': ending('kill'),
  'gateway.restart': ending('stop'),
  'gateway.error': ending('fail'),
  'gateway.freeze': signals('SIGSTOP', 'SIGCONT'),
  'gateway.reload': ({ gateways }, target) => {
    const reload = (concurrency: number): void => {
      gateways[target]!.configure(concurrency)
      gateways[target]!.process()?.child.kill('SIGHUP')
    }
    reload(4)
    return () => { reload(16) }
  },
  'gateway.clock-back': clockSet(-CLOCK_MS),
  'gateway.clock-forward': clockSet(CLOCK_MS),
  'gateway.no-descriptors': lacking(async pid => { await limitDescriptors(pid, openedBy(pid) + SPARE_DESCRIPTORS) }, freeDescriptors),
  'gateway.full-disk': lacking(async pid => { await limitFiles(pid, SPOOL_BYTES) }, async pid => { await limitFiles(pid, 'unlimited') }),
  'subscriber.away': async ({ subscribers }, target) => {
    await subscribers[target]!.leave()
    return async () => { await subscribers[target]!.comeBack() }
  },
  'subscriber.reset': behaving('reset'),
  'subscriber.hang': behaving('hang'),
  'subscriber.late': behaving('late'),
  'subscriber.drip': behaving('drip'),
  'subscriber.endless': behaving('endless'),
  'subscriber.short': behaving('short'),
  'subscriber.odd': behaving('odd'),
  'subscriber.hang-up': behaving('hang-up'),
  'subscriber.error': behaving('error'),
  'subscriber.busy': behaving('busy'),
  'subscriber.long-rest': behaving('long-rest'),
  'subscriber.garbage': behaving('garbage'),
  'subscriber.expired': ({ subscribers, certificates }, target) => {
    subscribers[target]!.present(certificates.expired)
    return () => { subscribers[target]!.present(certificates.server) }
  },
  // It is where nobody is told to look, until its name says so.
  'subscriber.moved': async ({ subscribers, names }, target) => {
    const subscriber = subscribers[target]!
    await subscriber.leave()
    await subscriber.comeBack(ADDRESSES.find(address => address !== subscriber.address()))
    return () => { names.set(hostOf(SUBSCRIBERS[target]!.name), subscriber.address()) }
  },
  'subscriber.name-unknown': nameless('unknown'),
  'subscriber.name-silent': nameless('silent'),
  'operator.pause': async (stage, target) => {
    const { name } = SUBSCRIBERS[target]!
    await order(stage, `/api/v1/subscribers/${name}/pause`)
    return async () => { await order(stage, `/api/v1/subscribers/${name}/resume`) }
  },
  'operator.replay': async stage => {
    await order(stage, '/api/v1/replays', { subscriber: GIVES_UP })
    return nothing
  }
}

/** The same, while Redis is kept full: it is full when the fault begins, and has room when it is over. */
export function whileFull (script: FaultScript): FaultScript {
  return async (stage, target) => {
    await stage.filler!.fill()
    const end = await script(stage, target)
    return async () => {
      await end()
      await stage.filler!.ease()
    }
  }
}

/** What cannot be made to happen on this machine, and is left out. */
export function leftOut (): FaultKind[] {
  return [
    ...mayLimit() ? [] : ['gateway.no-descriptors', 'gateway.full-disk', 'redis.full-disk'] as const,
    // Only Linux has the rest of 127.0.0.0/8 without being asked.
    ...process.platform === 'linux' ? [] : ['subscriber.moved'] as const
  ]
}

/** A sentence for the one who reads the log of a run. */
export function describeFault ({ kind, target, atMs, forMs }: Fault): string {
  return `${(atMs / 1_000).toFixed(1).padStart(6)} s  ${kind} ${target}, for ${(forMs / 1_000).toFixed(1)} s`
}
