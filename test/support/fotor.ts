/**
 * Plays Fotor under load: posts callbacks, each again and again until it is
 * answered with 200, and remembers every answer.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { TestGateway } from './gateway.js'
import type { TestContext } from './scene.js'
import { until } from './until.js'

export interface Fotor {
  /** Tasks whose callback was answered with 200. */
  acknowledged: Set<string>
  /** How many answers of each status, and requests that found no connection, under 0. */
  answers: Map<number, number>
  /** Resolves when everything that is in flight now has been answered: before something ends, none has waited for that. */
  settled (): Promise<void>
  /** Resolves when so many more have been acknowledged. */
  more (count: number): Promise<void>
  /** Begins no new callback; resolves when each that was begun is acknowledged. */
  stop (): Promise<void>
}

/** After an answer that is not 200, milliseconds. */
const PAUSE_MS = 10

/**
 * Starts posting; gives up with its test.
 *
 * @param gateways  asked at each try; tries go round
 * @param senders   callbacks in flight at a time
 * @param fields    more of each callback
 */
export function playFotor (t: TestContext, gateways: () => readonly TestGateway[], { senders = 4, prefix = 'task', fields = {} } = {}): Fotor {
  const acknowledged = new Set<string>()
  const answers = new Map<number, number>()
  const inFlight = new Set<symbol>()
  let sent = 0
  let tries = 0
  let on = true
  let isOver = false
  t.teardown(() => { isOver = true })

  async function once (taskId: string): Promise<number> {
    const all = gateways()
    const one = Symbol(taskId)
    inFlight.add(one)
    try {
      const { status } = await all[tries++ % all.length]!.post({ taskId, status: 1, type: 'x', ...fields })
      return status
    } catch { return 0 } finally { inFlight.delete(one) }
  }

  async function sender (): Promise<void> {
    while (on && !isOver) {
      const taskId = `${prefix}-${sent++}`
      while (!acknowledged.has(taskId) && !isOver) {
        const status = await once(taskId)
        answers.set(status, (answers.get(status) ?? 0) + 1)
        if (status === 200) acknowledged.add(taskId)
        else await wait(PAUSE_MS)
      }
    }
  }

  const running = Array.from({ length: senders }, sender)
  return {
    acknowledged,
    answers,
    async settled () {
      const now = [...inFlight]
      await until('everything in flight is answered', () => now.every(one => !inFlight.has(one)))
    },
    async more (count) {
      const goal = acknowledged.size + count
      await until(`${count} more are acknowledged`, () => acknowledged.size >= goal)
    },
    async stop () {
      on = false
      await Promise.all(running)
    }
  }
}
