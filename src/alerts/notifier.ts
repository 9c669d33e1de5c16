/**
 * Sends messages to receivers.
 *
 * Promises that a receiver that does not accept a message is tried again with
 * growing waits of up to five minutes, and that no other receiver waits for it.
 * The log reports the first failure, and the recovery.
 */
import { hostname } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import type { Receiver } from '../model/alert.js'
import type { Report } from '../model/fact.js'
import { createOutbound, type Answer, type Destination } from '../outbound/request.js'
import type { DueNotice } from './ledger.js'
import { composeNotice, composeTest, type Message, type Sender } from './message.js'

/** Milliseconds. */
const TIMEOUT_MS = 5_000
const FIRST_WAIT_MS = 5_000
const MOST_WAIT_MS = 5 * 60_000

export interface NotifierOptions extends Omit<Sender, 'host'> {
  report: Report
  /** Epoch milliseconds. */
  clock?: () => number
}

/** The answer of a receiver to a message. */
export interface NotifyResult {
  receiver: string
  statusCode: number | null
  /** Why the message was not accepted; `null` if it was. */
  error: string | null
}

export interface Notifier {
  /**
   * Sends notices to a receiver one after the other, until one is not accepted.
   *
   * @returns the accepted notices; none while the receiver must not be tried
   */
  notify (receiver: Receiver, dues: readonly DueNotice[]): Promise<DueNotice[]>
  /** Sends a test, even while the receiver must not be tried. */
  test (receiver: Receiver): Promise<NotifyResult>
  /** After a reload: closes the connections of receivers that are gone or have changed; a changed one is tried at once. */
  keepOnly (receivers: readonly Receiver[]): void
  close (): void
}

/** Connects only for the first message. */
export function createNotifier ({ report, clock = Date.now, ...options }: NotifierOptions): Notifier {
  const outbound = createOutbound()
  const sender = { host: hostname(), ...options }
  const refusing = new Map<string, { of: Receiver, failures: number, notBefore: number }>()
  let closed = false

  async function send (receiver: Receiver, { headers, body }: Message): Promise<NotifyResult> {
    return toldBy(receiver, await outbound.request({ to: destinationOf(receiver), headers, body }))
  }

  function note (of: Receiver, { receiver, error }: NotifyResult): void {
    const before = refusing.get(receiver)
    if (error === null) {
      if (before !== undefined) report({ fact: 'alert.receiver', receiver, state: 'takes', error: null })
      refusing.delete(receiver)
      return
    }
    const failures = (before?.failures ?? 0) + 1
    if (failures === 1) report({ fact: 'alert.receiver', receiver, state: 'refuses', error })
    refusing.set(receiver, { of, failures, notBefore: clock() + Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1)) })
  }

  return {
    async notify (receiver, dues) {
      const taken: DueNotice[] = []
      if (closed || clock() < (refusing.get(receiver.name)?.notBefore ?? 0)) return taken
      for (const due of dues) {
        const told = await send(receiver, composeNotice(due, receiver, { ...sender, at: clock() }))
        if (closed && told.error !== null) break // we cut the request off
        note(receiver, told)
        if (told.error !== null) break
        taken.push(due)
      }
      return taken
    },
    async test (receiver) { return await send(receiver, composeTest(receiver, { ...sender, at: clock() })) },
    keepOnly (receivers) {
      outbound.keepOnly(receivers.map(destinationOf))
      for (const [name, { of }] of refusing) {
        const now = receivers.find(receiver => receiver.name === name)
        if (now === undefined || !isDeepStrictEqual(now, of)) refusing.delete(name)
      }
    },
    close () {
      closed = true
      outbound.close()
    }
  }
}

function destinationOf ({ name, url, shownUrl, tls }: Receiver): Destination {
  return { name, url, shownUrl, tls, concurrency: 1, timeoutMs: TIMEOUT_MS }
}

function toldBy ({ name }: Receiver, answer: Answer): NotifyResult {
  if ('failure' in answer) return { receiver: name, statusCode: null, error: answer.error }
  const { status } = answer
  return { receiver: name, statusCode: status, error: status >= 200 && status < 300 ? null : `answered ${status}` }
}
