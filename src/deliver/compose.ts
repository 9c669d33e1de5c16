/**
 * Step 2 of a delivery: the headers of the request.
 *
 *   open ──▶ compose ──▶ send ──▶ classify ──▶ plan ──▶ record
 *
 * Pure. The body is not touched: it is sent as it arrived.
 */
import type { Delivery } from '../model/delivery.js'
import type { Event } from '../model/event.js'
import type { Subscriber } from '../model/subscriber.js'
import { sign } from '../outbound/sign.js'

export interface ComposeInput {
  event: Pick<Event, 'id' | 'taskId' | 'receivedAt' | 'revision' | 'contentType'>
  delivery: Pick<Delivery, 'attempts' | 'replayId' | 'webhookId'>
  body: Buffer
  subscriber: Pick<Subscriber, 'headers' | 'secrets'>
  /** Version of the gateway, for `user-agent`. */
  version: string
  /** Start of the attempt, epoch milliseconds. */
  at: number
}

/**
 * @returns names in lower case. The subscriber's own headers may replace
 *          `user-agent` and none of our other headers: the content type is that
 *          of the body, and `webhook-` and `relay-` headers state our facts
 * @throws  never for events the gateway accepted (a taskId has no lone surrogates)
 */
export function composeHeaders (composed: ComposeInput): Record<string, string> {
  const { event, delivery, subscriber } = composed
  return {
    'user-agent': `fotor-relay/${composed.version}`,
    ...inLowerCase(subscriber.headers),
    'content-type': event.contentType,
    ...signedHeaders(composed),
    'relay-task-id': encodeURIComponent(event.taskId),
    'relay-attempt': String(delivery.attempts + 1),
    'relay-received-at': new Date(event.receivedAt).toISOString(),
    'relay-revision': String(event.revision),
    ...(delivery.replayId === null ? {} : { 'relay-replay': delivery.replayId })
  }
}

/** The headers of Standard Webhooks; without a secret there is no signature. */
function signedHeaders ({ event, delivery, body, subscriber, at }: ComposeInput): Record<string, string> {
  const id = delivery.webhookId ?? event.id
  const timestamp = Math.floor(at / 1000)
  const headers = { 'webhook-id': id, 'webhook-timestamp': String(timestamp) }
  if (subscriber.secrets.length === 0) return headers
  return { ...headers, 'webhook-signature': sign({ id, timestamp, body }, subscriber.secrets) }
}

function inLowerCase (headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
