/**
 * The commands of a batch, in the form that batch.lua reads.
 */
import type { Subscriber } from '../../model/subscriber.js'
import type { Keys } from '../../redis/keys.js'
import { loadScript, withFunctions, type Script } from '../../redis/script.js'

/** How long the lock of a taken job lasts if it is not renewed, milliseconds. */
export const LOCK_MS = 6_000

/** The scripts of the record that a batch calls, by the names it uses. */
export interface RecordScripts {
  record_attempts: Script
  limits_of: Script
  open_deliveries: Script
}

/** The script of a batch, which contains those of the record. */
export function batchScript ({ record_attempts: record, limits_of: limits, open_deliveries: open }: RecordScripts): Script {
  return withFunctions(loadScript(new URL('./batch.lua', import.meta.url)), {
    record_attempts: record.lua,
    limits_of: limits.lua,
    open_deliveries: open.lua
  })
}

/** A job, and the token of its lock. */
export interface HeldJob {
  id: string
  token: string
}

/** What one worker wants from a batch. */
export type BatchCommand =
  | { kind: 'take', token: string }
  | { kind: 'finish', job: HeldJob, wantsNext: boolean }
  | { kind: 'delay', job: HeldJob, ms: number }
  | { kind: 'back', job: HeldJob }

/** The limits of a subscriber's deliveries, over all replicas. */
export type Limits = Pick<Subscriber, 'concurrency' | 'rateLimit'>

/** One command, its subscriber, and the position of its attempt in the list of attempts, from 1; 0 for none. */
export interface PlacedCommand { subscriber: string, command: BatchCommand, attempt: number }

/** @param limitsOf  reads the running configuration */
export function packCommands (commands: readonly PlacedCommand[], keys: Keys, limitsOf: (subscriber: string) => Limits): object {
  const names = new Set(commands.map(({ subscriber }) => subscriber))
  return {
    lockMs: LOCK_MS,
    queues: Object.fromEntries([...names].map(name => [name, { base: `${keys.queuePrefix}:${name}:`, limits: packLimits(limitsOf(name)) }])),
    moves: commands.map(({ subscriber, command, attempt }) => [subscriber, attempt, command.kind, ...argumentsOf(command)])
  }
}

function argumentsOf (command: BatchCommand): unknown[] {
  if (command.kind === 'take') return [command.token]
  const { id, token } = command.job
  switch (command.kind) {
    case 'finish': return [id, token, command.wantsNext]
    case 'delay': return [id, token, Math.max(0, Math.ceil(command.ms))]
    case 'back': return [id, token]
  }
}

function packLimits ({ concurrency, rateLimit }: Limits): object {
  return { concurrency, ...rateLimit === null ? {} : { max: rateLimit.max, per: rateLimit.perMs } }
}
