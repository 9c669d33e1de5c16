/**
 * BullMQ's own scripts inside ours: what BullMQ does to a queue and what we do
 * to the record, in one atomic step and one round trip.
 *
 * BullMQ's text is used as it is. What it is called with is taken from
 * BullMQ's own TypeScript, never written here, so the two always fit: both are
 * of the one release that package.json names.
 */
import { Job, type IRedisTransaction, type Queue } from 'bullmq'
import * as bullmq from 'bullmq/dist/cjs/scripts/index.js'
import { unpack, withFunctions, type Script } from '../../redis/script.js'

/** The name of every job; its id says everything else. */
export const JOB_NAME = 'deliver'

/** Stands where the id of each job will. */
const ANY_ID = 'evt_-1'

/**
 * How BullMQ adds a job to one queue, in the form that `jobs.lua` explains; to
 * be passed to a script that adds jobs.
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

/** Asks BullMQ how it would add a job to a queue, and keeps it from doing so. */
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

/** What is left out at the end of a list is `nil` to a script, and so is `null`. */
function withoutTail (list: unknown[]): unknown[] {
  return list.slice(0, list.findLastIndex(value => value !== null && value !== undefined) + 1)
}
