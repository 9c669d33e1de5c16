/**
 * What a turn of the workers is ordered to do, in the form that turn.lua reads:
 * BullMQ's calls as BullMQ makes them, and jobs that finish.
 */
import * as bullmq from 'bullmq/dist/cjs/scripts/index.js'
import { loadScript, unpack, withFunctions, type Script } from '../redis/script.js'

/** The scripts of the record that a turn calls, by the names it calls them. */
export interface TurnScripts {
  record_attempts: Script
  open_deliveries: Script
}

/** BullMQ's calls that a turn makes, in the order of CALLS in turn.lua. */
export const CALLS = ['moveToActive', 'moveToDelayed', 'moveJobFromActiveToWait'] as const

/** The script of a turn, with BullMQ's scripts and those of the record in it. */
export function turnScript (scripts: TurnScripts): Script {
  return withFunctions(loadScript(new URL('./turn.lua', import.meta.url)), {
    bullmq_move_to_active: bullmq.moveToActive.content,
    bullmq_move_to_delayed: bullmq.moveToDelayed.content,
    bullmq_move_to_wait: bullmq.moveJobFromActiveToWait.content,
    record_attempts: scripts.record_attempts.lua,
    open_deliveries: scripts.open_deliveries.lua
  })
}

/** One call of BullMQ's to one of its scripts. */
export interface Call {
  /** Place in {@link CALLS}. */
  which: number
  /** Keys first; texts, numbers, packed buffers, nothing. */
  args: readonly unknown[]
}

/** A job finishes, having been delivered or given up. */
export interface Finish {
  jobId: string
  /** Of its lock. */
  token: string
  wantsNext: boolean
}

export type Order = Finish | Call

/** How BullMQ takes a job from one queue. */
interface TakingCall { keys: string[], prefix: string, options: unknown }

/** Puts the orders of a turn in the form that turn.lua explains. */
export class Orders {
  readonly #taking = new Map<string, TakingCall>()

  /**
   * @param moves  with the place of each one's attempt in the list of attempts, from 1; 0 for none
   */
  pack (moves: ReadonlyArray<{ subscriber: string, order: Order, attempt: number }>): { moves: unknown[], queues: object, binary: Buffer } {
    const binaries: Buffer[] = []
    const queues: Record<string, TakingCall> = {}
    const packed = moves.map(({ subscriber, order, attempt }) => {
      if (!('jobId' in order)) return [subscriber, attempt, 'call', ...this.#packCall(subscriber, order, binaries)]
      queues[subscriber] = this.#taking.get(subscriber)!
      return [subscriber, attempt, 'finish', order.jobId, order.token, order.wantsNext]
    })
    return { moves: packed, queues, binary: Buffer.concat(binaries) }
  }

  #packCall (subscriber: string, { which, args }: Call, binaries: Buffer[]): unknown[] {
    this.#learn(subscriber, which, args)
    let length = binaries.reduce((sum, binary) => sum + binary.length, 0)
    const places: number[][] = []
    const texts = args.map((arg, at) => {
      if (!(arg instanceof Uint8Array)) return arg === undefined || arg === null ? '' : String(arg)
      binaries.push(arg as Buffer)
      places.push([at + 1, length + 1, length += arg.length])
      return ''
    })
    return [which + 1, bullmq[CALLS[which]!].keys, texts, places]
  }

  /** A worker takes its first job by a call of BullMQ's, before it can finish any. */
  #learn (subscriber: string, which: number, args: readonly unknown[]): void {
    if (CALLS[which] !== 'moveToActive' || this.#taking.has(subscriber)) return
    const { keys: count } = bullmq.moveToActive
    const [prefix, , options] = args.slice(count) as [string, number, Buffer]
    this.#taking.set(subscriber, { keys: args.slice(0, count) as string[], prefix, options: unpack(options) })
  }
}
