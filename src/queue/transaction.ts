/**
 * One MULTI that carries scripts of the record and the jobs they owe, so that
 * either all of it is in Redis or none.
 *
 * `addBulk` and `FlowProducer` cannot do this (the one is no transaction, the
 * other resolves although nothing was stored), so jobs are added one by one to
 * a transaction that BullMQ itself opened, and every entry of the reply is
 * read before anything is believed.
 */
import { Job, type IRedisTransaction, type Queue } from 'bullmq'
import { jobIdOf } from '../model/delivery.js'
import { RelayError } from '../model/errors.js'
import { reloadScripts } from '../redis/reload-scripts.js'
import { defineOn, type RedisClient, type Script } from '../redis/script.js'

/** The name of every job; its id says everything else. */
export const JOB_NAME = 'deliver'

type Step = (transaction: IRedisTransaction) => void

export interface Transaction {
  /** Adds a script; its reply is the entry at this position of {@link commit}. */
  run (script: Script, keys: string[], args: Array<string | number | Buffer>): void
  /** Adds the job of one generation of a delivery; nothing happens when it exists. */
  addJob (subscriber: string, eventId: string, generation: number): void
  /**
   * Sends everything.
   *
   * @returns one reply per step, in order
   * @throws  `REDIS_UNAVAILABLE` unless every entry is good; nothing may be believed then
   */
  commit (): Promise<unknown[]>
}

export interface TransactionOptions {
  /** The client that BullMQ was given; its scripts are defined on it. */
  client: RedisClient
  /** Opens a MULTI in the form that BullMQ's jobs can be added to. */
  multi: () => IRedisTransaction
  queueOf: (subscriber: string) => Queue
}

/** Opens a transaction; nothing is sent before `commit`. */
export function openTransaction ({ client, multi, queueOf }: TransactionOptions): Transaction {
  const steps: Step[] = []

  async function send (): Promise<Array<[Error | null, unknown]>> {
    const transaction = multi()
    for (const step of steps) step(transaction)
    try {
      return await transaction.exec() ?? []
    } catch (error) {
      return refuse(reasonOf(error))
    }
  }

  return {
    run (script, keys, args) {
      defineOn(client, script)
      steps.push(transaction => { transaction.runCommand(script.name, [keys.length, ...keys, ...args]) })
    },
    addJob (subscriber, eventId, generation) {
      const job = new Job(queueOf(subscriber), JOB_NAME, {}, {}, jobIdOf(eventId, generation))
      steps.push(transaction => { job.addJob(transaction).catch(() => {}) }) // what fails is in the reply
    },
    async commit () {
      let replies = await send()
      if (replies.some(([error]) => error?.message.startsWith('NOSCRIPT') === true)) {
        // A server that restarted or forgot its scripts; inside a MULTI ioredis does not notice.
        await reloadScripts(client)
        replies = await send()
      }
      return replies.length === steps.length ? replies.map(entry => goodReply(entry)) : refuse(null)
    }
  }
}

/** Why a transaction was discarded stands in the replies before the last. */
function reasonOf (error: unknown): Error {
  const { previousErrors: [first] = [] } = error as { previousErrors?: Error[] }
  return first ?? (error instanceof Error ? error : new Error(String(error)))
}

function goodReply ([error, reply]: [Error | null, unknown]): unknown {
  if (error !== null) return refuse(error)
  // BullMQ's scripts answer with a negative number when they did nothing.
  if (typeof reply === 'number' && reply < 0) return refuse(new Error(`script answered ${reply}`))
  return reply
}

function refuse (cause: Error | null): never {
  const why = cause === null ? 'its reply was incomplete' : cause.message
  throw new RelayError('REDIS_UNAVAILABLE', `Redis did not carry out a transaction as a whole: ${why}`, {}, { cause })
}
