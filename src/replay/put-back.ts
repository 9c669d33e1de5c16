/**
 * Puts deliveries back in their queues: the one way that replays and releases
 * share. From here on a delivery goes the way of every other.
 */
import { addingJobs } from '../queue/bullmq/job-scripts.js'
import type { Queues } from '../queue/bullmq/queues.js'
import { loadRecordScript } from '../record/lua.js'
import type { RecordStore } from '../record/store.js'
import { runPackedScript } from '../redis/script.js'
import type { Meant } from './order.js'

const PUT_BACK = addingJobs(loadRecordScript(new URL('./put-back.lua', import.meta.url)))

export interface PutBackOptions {
  /** `null` when this is a release and no replay. */
  replayId: string | null
  /** Of the order that this release is a batch of. */
  releaseId?: string
  /** Makes the `webhook-id` of each delivery; `null` keeps the event's id. */
  newWebhookId: (() => string) | null
  /** The sequence below which the order goes on, noted in the same step. */
  cursor?: number
}

/**
 * Puts deliveries back, each with its job, in one atomic step. The script looks
 * again at each: what changed since it was selected is left alone.
 *
 * @returns how many were put back
 * @throws  what ioredis throws
 */
export async function putBack (
  { store: { redis, keys }, queues }: { store: RecordStore, queues: Queues },
  deliveries: readonly Meant[],
  { replayId, releaseId = '', newWebhookId, cursor }: PutBackOptions
): Promise<number> {
  const { output } = await runPackedScript(redis, PUT_BACK, {
    key: keys.events,
    input: {
      prefix: `{${keys.prefix}}:`,
      order: replayId ?? releaseId,
      cursor: cursor ?? '',
      replay: replayId !== null,
      templates: queues.templatesOf(new Set(deliveries.map(({ subscriber }) => subscriber))),
      deliveries: deliveries.map(({ eventId, subscriber, state, generation }) => [eventId, subscriber, state ?? '', generation, newWebhookId?.() ?? ''])
    }
  })
  return output as number
}
