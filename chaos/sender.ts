/**
 * Plays the vendor: sends each notification until it is answered 200, some of
 * them again after that or several times at once, and keeps its own books.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { Sent } from './ledger.js'
import type { Notification, Plan, Task } from './plan.js'
import { randomFrom } from './random.js'

/** The vendor gives up waiting for an answer, milliseconds. */
const ANSWER_WITHIN_MS = 2_000
/** Before it tries again, milliseconds. */
const AGAIN_AFTER_MS = 150

export interface Sender {
  sent: Sent[]
  /** Resolves when every notification of the plan's tasks has been acknowledged. */
  finished: Promise<void>
  /** Sends one more; resolves when all of it has been acknowledged. */
  send (task: Task): Promise<void>
  /** Tries nothing again. */
  stop (): void
}

/**
 * Starts sending.
 *
 * @param urls  of the public endpoints that are up; asked at each try
 */
export function startSender ({ seed, tasks }: Plan, urls: () => readonly string[]): Sender {
  const sent: Sent[] = []
  const random = randomFrom(`${seed}/sender`)
  let on = true

  async function send (notification: Notification): Promise<void> {
    const { copies, bodies, ...what } = notification
    const book: Sent = { ...what, bodies, firstSentAt: Date.now(), acknowledgedAt: null, answers: [], eventIds: [] }
    sent.push(book)
    await Promise.all(Array.from({ length: copies }, async (_, copy) => { await sendUntilTaken(book, bodies[copy % bodies.length]!) }))
  }

  async function sendUntilTaken (book: Sent, body: string): Promise<void> {
    while (on) {
      const all = urls()
      const answer = all.length === 0 ? 'none' : await post(random.pick(all), body, book)
      book.answers.push(answer)
      if (['accepted', 'duplicate', 'spooled'].includes(answer)) {
        book.acknowledgedAt ??= Date.now()
        return
      }
      await wait(AGAIN_AFTER_MS)
    }
  }

  async function run ({ atMs, notifications }: Task): Promise<void> {
    await wait(atMs)
    for (const notification of notifications) {
      await wait(notification.afterMs)
      await send(notification)
    }
  }

  return {
    sent,
    finished: Promise.all(tasks.map(run)).then(() => {}),
    send: run,
    stop () { on = false }
  }
}

async function post (url: string, body: string, book: Sent): Promise<string> {
  try {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
    const { status, eventId } = await response.json() as { status: string | number, eventId?: string }
    if (response.status !== 200) return String(response.status)
    if (eventId !== undefined) book.eventIds.push(eventId)
    return String(status)
  } catch {
    return 'none'
  }
}
