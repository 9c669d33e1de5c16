/**
 * The commands of a batch, in the form that batch.lua reads: calls that BullMQ
 * makes to its own scripts, and jobs that finish.
 */
import * as bullmq from 'bullmq/dist/cjs/scripts/index.js'
import { loadScript, unpack, withFunctions, type Script } from '../../redis/script.js'

/** The scripts of the record that a batch calls, by the names it calls them. */
export interface RecordScripts {
  record_attempts: Script
  open_deliveries: Script
}

/** BullMQ's scripts that a batch may call, in the order of SCRIPTS in batch.lua. */
const SCRIPTS = ['moveToActive', 'moveToDelayed', 'moveJobFromActiveToWait'] as const

/** The script of a batch, with BullMQ's scripts and those of the record in it. */
export function batchScript (scripts: RecordScripts): Script {
  return withFunctions(loadScript(new URL('./batch.lua', import.meta.url)), {
    bullmq_move_to_active: bullmq.moveToActive.content,
    bullmq_move_to_delayed: bullmq.moveToDelayed.content,
    bullmq_move_to_wait: bullmq.moveJobFromActiveToWait.content,
    record_attempts: scripts.record_attempts.lua,
    open_deliveries: scripts.open_deliveries.lua
  })
}

/** One call of BullMQ's to one of its scripts. */
export interface CallCommand {
  script: string
  /** Keys first; texts, numbers, packed buffers, nothing. */
  args: readonly unknown[]
}

/** A job finishes, having been delivered or given up. */
export interface FinishCommand {
  jobId: string
  /** Of its lock. */
  token: string
  wantsNext: boolean
}

export type BatchCommand = FinishCommand | CallCommand

/** How BullMQ takes a job from one queue. */
interface TakeCall { keys: string[], prefix: string, options: unknown }

export interface PackedCommands { moves: unknown[], queues: object, binary: Buffer }

/** Packs the commands of batches, and learns from BullMQ's calls how it takes jobs. */
export class CommandPacker {
  readonly #takeCalls = new Map<string, TakeCall>()

  /**
   * @param commands  each with the place of its attempt in the list of attempts, from 1; 0 for none
   * @throws          for a script that no batch can call
   */
  pack (commands: ReadonlyArray<{ subscriber: string, command: BatchCommand, attempt: number }>): PackedCommands {
    const binaries: Buffer[] = []
    const queues: Record<string, TakeCall> = {}
    const moves = commands.map(({ subscriber, command, attempt }) => {
      if ('script' in command) return [subscriber, attempt, 'call', ...this.#packCall(subscriber, command, binaries)]
      queues[subscriber] = this.#takeCalls.get(subscriber)!
      return [subscriber, attempt, 'finish', command.jobId, command.token, command.wantsNext]
    })
    return { moves, queues, binary: Buffer.concat(binaries) }
  }

  #packCall (subscriber: string, { script, args }: CallCommand, binaries: Buffer[]): unknown[] {
    const which = SCRIPTS.findIndex(name => name === script)
    if (which === -1) throw new Error(`a batch cannot call BullMQ's script ${script}`)
    this.#learn(subscriber, script, args)
    let length = binaries.reduce((sum, binary) => sum + binary.length, 0)
    const places: number[][] = []
    const texts = args.map((arg, at) => {
      if (!(arg instanceof Uint8Array)) return arg === undefined || arg === null ? '' : String(arg)
      binaries.push(arg as Buffer)
      places.push([at + 1, length + 1, length += arg.length])
      return ''
    })
    return [which + 1, bullmq[SCRIPTS[which]!].keys, texts, places]
  }

  /** A worker takes its first job by a call of BullMQ's, before it can finish any. */
  #learn (subscriber: string, script: string, args: readonly unknown[]): void {
    if (script !== 'moveToActive' || this.#takeCalls.has(subscriber)) return
    const { keys: count } = bullmq.moveToActive
    const [prefix, , options] = args.slice(count) as [string, number, Buffer]
    this.#takeCalls.set(subscriber, { keys: args.slice(0, count) as string[], prefix, options: unpack(options) })
  }
}
