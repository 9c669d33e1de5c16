/**
 * How fast a backlog is delivered: hold everybody back, make the backlog, let
 * go, and time the arrivals at the subscribers. The first tenth and the last
 * twentieth do not count: there not everything is at work.
 */
import type { Bench } from './bench.js'
import { costPer, type Effort } from './effort.js'
import type { CpuUs } from './stage/cpu.js'
import { cpuMeter } from './stage/cpu.js'
import type { BenchGateway } from './stage/gateway.js'
import { openClient } from './stage/redis.js'

const FROM = 0.1
const TO = 0.95

/** Somebody who delivers from a backlog. */
export interface Contestant {
  hold (): Promise<void>
  /** Adds this many events for every subscriber. */
  fill (events: number): Promise<void>
  release (): Promise<void>
  /** What its process and its Redis have used so far. */
  cpu (): Promise<CpuUs>
}

/** The gateway as a contestant for these of its subscribers; events are for `all` of them. */
export function gatewayContestant ({ filler, stage }: Bench, gateway: BenchGateway, { timed, all }: { timed: string[], all: string[] }): Contestant {
  return {
    async hold () { await Promise.all(timed.map(gateway.pause)) },
    async fill (events) {
      await filler.ask('fill', { socket: gateway.socket, subscribers: all.map(path => path.slice(1)), events })
    },
    async release () { await Promise.all(timed.map(gateway.resume)) },
    cpu: cpuMeter(gateway.pid, openClient(stage, gateway.socket))
  }
}

/**
 * One run.
 *
 * @returns deliveries per second to `paths` together, and what one cost
 */
export async function drain ({ subscribers }: Bench, contestant: Contestant, { paths, events }: { paths: string[], events: number }): Promise<Effort> {
  const total = paths.length * events
  const [from, to] = [Math.floor(total * FROM), Math.floor(total * TO)]
  await contestant.hold()
  await contestant.fill(events)
  const arrivals = subscribers.ask('arrivals', { paths, marks: [from, to, total] })
  const before = await contestant.cpu()
  await contestant.release()
  const [fromUs, toUs] = await arrivals as [number, number, number]
  return { perSecond: (to - from) / (toUs - fromUs) * 1e6, cpuUs: costPer(total, before, await contestant.cpu()) }
}
