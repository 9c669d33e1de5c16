/**
 * Looks through the record, slowly and over and over, for what cannot be read:
 * what nobody asks for would never be found. A delivery that cannot be read
 * fails once, with the reason `corrupt`, also when its subscriber is on hold.
 *
 * Costs Redis a few milliseconds every few seconds while it goes on, and
 * nothing for an hour after that.
 */
import type { Report } from '../model/fact.js'
import { runScript } from '../redis/script.js'
import { loadRecordScript } from './lua.js'
import type { RecordStore } from './store.js'

const EXAMINE = loadRecordScript(new URL('./examine.lua', import.meta.url))

/** Events of one step: a few milliseconds of Redis's time. */
const STEP = 200
/** From the end of a walk through the record to the next, milliseconds. */
const REST_MS = 3_600_000

export interface ExamineOptions {
  report: Report
  /** Milliseconds. */
  clock?: () => number
}

/**
 * Makes the function that does one step, or nothing while it rests.
 *
 * @throws what ioredis throws; the next step begins where this one did
 */
export function createExaminer ({ redis, keys }: RecordStore, { report, clock = () => performance.now() }: ExamineOptions): () => Promise<void> {
  let cursor = '0'
  let restsUntil = -Infinity

  return async () => {
    if (clock() < restsUntil) return
    const [next, ...found] = await runScript(redis, EXAMINE, { keys: [keys.events], args: [`{${keys.prefix}}:`, cursor, STEP] }) as string[]
    for (let at = 0; at < found.length; at += 2) {
      const [eventId, subscriber] = [found[at]!, found[at + 1]!]
      if (subscriber === '') report({ fact: 'record.corrupt', eventId })
      else report({ fact: 'delivery.corrupt', eventId, subscriber })
    }
    cursor = next === '' ? '0' : next!
    if (next === '') restsUntil = clock() + REST_MS
  }
}
