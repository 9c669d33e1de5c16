/**
 * The commands of a batch, in the form that batch.lua reads: calls that BullMQ
 * makes to its own scripts, and jobs that finish.
 */
import * as bullmq from 'bullmq/dist/cjs/scripts/index.js'
import type { Subscriber } from '../../model/subscriber.js'
import { loadScript, unpack, withFunctions, type Script } from '../../redis/script.js'

/** The scripts of the record that a batch calls, by the names it calls them. */
export interface RecordScripts {
  record_attempts: Script
  limits_of: Script
  open_deliveries: Script
}

/** BullMQ's scripts that a batch may call, in the order of SCRIPTS in batch.lua. */
const SCRIPTS = ['moveToDelayed', 'moveJobFromActiveToWait'] as const

/** The script of a batch, with BullMQ's scripts and those of the record in it. */
export function batchScript (scripts: RecordScripts): Script {
  return withFunctions(loadScript(new URL('./batch.lua', import.meta.url)), {
    bullmq_move_to_active: bullmq.moveToActive.content,
    bullmq_move_to_delayed: bullmq.moveToDelayed.content,
    bullmq_move_to_wait: bullmq.moveJobFromActiveToWait.content,
    record_attempts: scripts.record_attempts.lua,
    limits_of: scripts.limits_of.lua,
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

/** What of a subscriber limits its deliveries, over all replicas. */
export type Limits = Pick<Subscriber, 'concurrency' | 'rateLimit'>

/** How BullMQ takes a job from one queue. */
interface TakeCall { keys: string[], prefix: string, options: unknown }

export interface PackedCommands { moves: unknown[], queues: object, binary: Buffer }

/** Packs the commands of batches, and learns from BullMQ's calls how it takes jobs. */
export class CommandPacker {
  readonly #takeCalls = new Map<string, TakeCall>()

  /** @param limitsOf  of the running configuration */
  constructor (private readonly limitsOf: (subscriber: string) => Limits) {}

  /**
   * @param commands  each with the place of its attempt in the list of attempts, from 1; 0 for none
   * @throws          for a script that no batch can call
   */
  pack (commands: ReadonlyArray<{ subscriber: string, command: BatchCommand, attempt: number }>): PackedCommands {
    const binaries: Buffer[] = []
    const queues: Record<string, TakeCall & { limits: object }> = {}
    const moves = commands.map(({ subscriber, command, attempt }) => {
      const token = 'script' in command && command.script === 'moveToActive' ? this.#learn(subscriber, command.args) : null
      if (token === null && 'script' in command) return [subscriber, attempt, 'call', ...packCall(command, binaries)]
      queues[subscriber] = { ...this.#takeCalls.get(subscriber)!, limits: this.#limitsFor(subscriber) }
      if ('script' in command) return [subscriber, attempt, 'take', token]
      return [subscriber, attempt, 'finish', command.jobId, command.token, command.wantsNext]
    })
    return { moves, queues, binary: Buffer.concat(binaries) }
  }

  /** A worker takes its first job by a call of BullMQ's, before it can finish any. @returns the token for the job's lock */
  #learn (subscriber: string, args: readonly unknown[]): string {
    const { keys: count } = bullmq.moveToActive
    const [prefix, , packedOptions] = args.slice(count) as [string, number, Buffer]
    const options = unpack(packedOptions) as { token: string }
    if (!this.#takeCalls.has(subscriber)) this.#takeCalls.set(subscriber, { keys: args.slice(0, count) as string[], prefix, options })
    return options.token
  }

  #limitsFor (subscriber: string): object {
    const { concurrency, rateLimit } = this.limitsOf(subscriber)
    return { concurrency, ...rateLimit === null ? {} : { max: rateLimit.max, per: rateLimit.perMs } }
  }
}

function packCall ({ script, args }: CallCommand, binaries: Buffer[]): unknown[] {
  const which = SCRIPTS.findIndex(name => name === script)
  if (which === -1) throw new Error(`a batch cannot call BullMQ's script ${script}`)
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
