/**
 * How each kind of fault begins and ends.
 */
import { answers, type Behaviour } from '../test/support/subscriber.js'
import { GIVES_UP, SUBSCRIBERS, type Fault, type FaultKind } from './plan.js'
import { taking, type Stage } from './stage.js'

export interface FaultScript {
  begin (stage: Stage, target: number): unknown
  end (stage: Stage, target: number): unknown
}

const nothing = (): void => {}

function signals (first: NodeJS.Signals, then: NodeJS.Signals): FaultScript {
  return {
    begin: ({ gateways }, target) => gateways[target]!.process()?.child.kill(first),
    end: ({ gateways }, target) => gateways[target]!.process()?.child.kill(then)
  }
}

function ending (signal: 'SIGKILL' | 'SIGTERM'): FaultScript {
  return {
    begin: async ({ gateways }, target) => { await gateways[target]!.end(signal) },
    end: async ({ gateways }, target) => { await gateways[target]!.start() }
  }
}

function behaving (instead: Behaviour): FaultScript {
  return {
    begin ({ subscribers, received }, target) { subscribers[target]!.behave(taking(received, SUBSCRIBERS[target]!.name, instead)) },
    end ({ subscribers, received }, target) { subscribers[target]!.behave(taking(received, SUBSCRIBERS[target]!.name)) }
  }
}

/** One command to the server; a server that is away takes none. */
function commanding (begin: string[], end: string[]): FaultScript {
  return {
    begin: async ({ redis }) => { await redis.client().call(begin[0]!, ...begin.slice(1)) },
    end: async ({ redis }) => { await redis.client().call(end[0]!, ...end.slice(1)) }
  }
}

/** What the operator orders may fail while Redis or every gateway is away; then nothing was ordered. */
async function order (stage: Stage, path: string, body?: object): Promise<void> {
  await stage.api('POST', path, body).catch(nothing)
}

/** By kind. */
export const SCRIPTS: Record<FaultKind, FaultScript> = {
  'gateway.kill': ending('SIGKILL'),
  'gateway.restart': ending('SIGTERM'),
  'gateway.freeze': signals('SIGSTOP', 'SIGCONT'),
  'gateway.reload': {
    begin ({ gateways }, target) {
      gateways[target]!.configure(4)
      gateways[target]!.process()?.child.kill('SIGHUP')
    },
    end ({ gateways }, target) {
      gateways[target]!.configure(16)
      gateways[target]!.process()?.child.kill('SIGHUP')
    }
  },
  'redis.kill': { begin: async ({ redis }) => { await redis.kill() }, end: async ({ redis }) => { await redis.restart() } },
  'redis.freeze': { begin: ({ redis }) => redis.process.kill('SIGSTOP'), end: ({ redis }) => redis.process.kill('SIGCONT') },
  'redis.full': commanding(['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']),
  'redis.read-only': commanding(['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']),
  'redis.disconnect': { begin: async ({ redis }) => { await redis.client().call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes') }, end: nothing },
  'subscriber.reset': behaving((_response, _received, request) => { request.socket.resetAndDestroy() }),
  'subscriber.hang': behaving(answers.hang),
  'subscriber.error': behaving(answers.status(500)),
  'subscriber.busy': behaving(answers.status(429, { 'retry-after': '1' })),
  'subscriber.garbage': behaving((_response, _received, request) => { request.socket.end('this is no HTTP\r\n\r\n') }),
  'operator.pause': {
    begin: async (stage, target) => { await order(stage, `/api/v1/subscribers/${SUBSCRIBERS[target]!.name}/pause`) },
    end: async (stage, target) => { await order(stage, `/api/v1/subscribers/${SUBSCRIBERS[target]!.name}/resume`) }
  },
  'operator.replay': { begin: async stage => { await order(stage, '/api/v1/replays', { subscriber: GIVES_UP }) }, end: nothing }
}

/** A sentence for the one who reads the log of a run. */
export function describeFault ({ kind, target, atMs, forMs }: Fault): string {
  return `${(atMs / 1_000).toFixed(1).padStart(6)} s  ${kind} ${target}, for ${(forMs / 1_000).toFixed(1)} s`
}
