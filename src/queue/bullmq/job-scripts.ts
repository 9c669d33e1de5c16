/**
 * BullMQ's own scripts inside ours: one atomic step and one round trip change
 * BullMQ's queue and our record together.
 *
 * BullMQ's text is used unchanged. Its arguments come from BullMQ's own
 * TypeScript and are never written here, so both always fit: both are of the
 * release that package.json names.
 */
import { Job, type IRedisTransaction, type Queue } from 'bullmq'
import * as bullmq from 'bullmq/dist/cjs/scripts/index.js'
import { unpack, withFunctions, type Script } from '../../redis/script.js'

/** The name of every job; its id says the rest. */
export const JOB_NAME = 'deliver'

/** A placeholder for the id of each job. */
const ANY_ID = 'evt_-1'

/**
 * How BullMQ adds a job to one queue, in the form that `jobs.lua` explains; for
 * scripts that add jobs.
 */
export interface JobTemplate {
  keys: string[]
  arguments: unknown[]
  data: string
  options: unknown
}

/** Makes a script of ours that includes `jobs.lua` able to add jobs. */
export function addingJobs (script: Script): Script {
  return withFunctions(script, { bullmq_add_job: bullmq.addStandardJob.content })
}

/** Asks BullMQ how it would add a job to a queue, and prevents it from doing so. */
export function templateOf (queue: Queue): JobTemplate {
  let call: Array<string | Buffer> = []
  const listener = { runCommand (_: string, args: Array<string | Buffer>) { call = args } }
  void new Job(queue, JOB_NAME, {}, {}, ANY_ID).addJob(listener as unknown as IRedisTransaction)
  const { keys: count } = bullmq.addStandardJob
  const [packedArguments, data, packedOptions] = call.slice(count) as [Buffer, string, Buffer]
  return {
    keys: call.slice(0, count) as string[],
    arguments: withoutTail(unpack(packedArguments) as unknown[]),
    data,
    options: unpack(packedOptions)
  }
}

/** Missing values at the end of a list are `nil` in a script, and so is `null`. */
function withoutTail (list: unknown[]): unknown[] {
  return list.slice(0, list.findLastIndex(value => value !== null && value !== undefined) + 1)
}
