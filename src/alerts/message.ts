/**
 * The message to a receiver: the payload of Standard Webhooks, with one line of
 * text for people. Pure.
 */
import { createHash } from 'node:crypto'
import type { Alert, Notice, Receiver } from '../model/alert.js'
import { sign } from '../outbound/sign.js'
import type { DueNotice } from './ledger.js'

/** The sender of messages. */
export interface Sender {
  /** Name of the machine. */
  host: string
  /** `redis.prefix`: the name of the relay. */
  relay: string
  /** Version of the gateway, for `user-agent`. */
  version: string
}

export interface Message {
  /** Names in lower case. */
  headers: Record<string, string>
  body: Buffer
}

interface Payload {
  type: `alert.${Notice | 'test'}`
  /** ISO 8601. */
  timestamp: string
  /** For people: one line. */
  text: string
  data: object
}

/**
 * The message of a notice that is due.
 *
 * @param at  epoch milliseconds
 * @returns   a message whose `webhook-id` stays the same whenever, and by whichever replica, it is sent again
 */
export function composeNotice ({ notice, alert }: DueNotice, to: Receiver, { at, ...sender }: Sender & { at: number }): Message {
  const { name, severity, subscriber, summary, figures = {}, since, endedAt, of, told } = alert
  const who = of === 'relay' ? sender.relay : `${sender.relay} ${sender.host}`
  const id = idOf([who, name, subscriber, since, notice, told[to.name]?.at ?? 0])
  return compose(to, { id, at, version: sender.version }, {
    type: `alert.${notice}`,
    timestamp: new Date(at).toISOString(),
    text: `[${notice === 'raised' ? severity : notice}] fotor-relay ${who}: ${textOf(alert, notice)}`,
    data: {
      name,
      severity,
      subscriber,
      summary,
      figures,
      since: new Date(since).toISOString(),
      resolvedAt: notice === 'resolved' && endedAt !== null ? new Date(endedAt).toISOString() : null,
      relay: sender.relay,
      host: of === 'relay' ? null : sender.host
    }
  })
}

/** A test message: it only shows that messages arrive. */
export function composeTest (to: Receiver, { at, ...sender }: Sender & { at: number }): Message {
  const summary = 'this is a test: this receiver gets alerts'
  return compose(to, { id: idOf([sender.relay, sender.host, 'test', at]), at, version: sender.version }, {
    type: 'alert.test',
    timestamp: new Date(at).toISOString(),
    text: `[test] fotor-relay ${sender.relay} ${sender.host}: ${summary}`,
    data: { summary, relay: sender.relay, host: sender.host }
  })
}

function textOf ({ summary, since, endedAt }: Alert, notice: Notice): string {
  return notice === 'resolved' && endedAt !== null ? `resolved after ${Math.round((endedAt - since) / 1_000)} s: ${summary}` : summary
}

function compose ({ headers, secrets }: Receiver, { id, at, version }: { id: string, at: number, version: string }, payload: Payload): Message {
  const body = Buffer.from(JSON.stringify(payload))
  const timestamp = Math.floor(at / 1_000)
  const own = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  return {
    body,
    headers: {
      'user-agent': `fotor-relay/${version}`,
      ...own,
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      ...secrets.length === 0 ? {} : { 'webhook-signature': sign({ id, timestamp, body }, secrets) }
    }
  }
}

function idOf (parts: ReadonlyArray<string | number | null>): string {
  return 'alt_' + createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 22)
}
