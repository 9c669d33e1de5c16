/**
 * The holds that configuration decides: `disabled` for entries that say so,
 * `removed` for subscribers that have no entry any more.
 *
 * They are written when a configuration is taken up, and looked after from then
 * on, so that they are right again whatever became of that write. Where replicas
 * run different configurations, the one that was taken up last decides, by
 * Redis's clock, for as long as its replica lives; the others leave the holds
 * alone, so nothing goes back and forth.
 */
import { createHash, randomUUID } from 'node:crypto'
import type { SubscriberHold } from '../model/delivery.js'
import { runPackedScript } from '../redis/script.js'
import { loadRecordScript } from './lua.js'
import type { RecordStore } from './store.js'

const ALIGN = loadRecordScript(new URL('./align-holds.lua', import.meta.url))

/** Whoever decides is believed to live for so long, milliseconds; it says so every few seconds. */
const LIFETIME_MS = 10_000

/** What of a subscriber decides its holds. */
export interface HoldSource { name: string, enabled: boolean, url: string }

export interface HoldChange { subscriber: string, hold: SubscriberHold, set: boolean }

export interface AlignResult {
  changes: HoldChange[]
  /** Known subscribers that are configured no more. */
  removed: string[]
}

export interface ConfiguredHolds {
  /** A configuration is in force from now on: aligns all holds with it, and decides. @throws what ioredis throws */
  takeUp (configured: readonly HoldSource[]): Promise<AlignResult>
  /** Aligns them again. @returns `null` when another configuration decides; @throws what ioredis throws */
  keep (configured: readonly HoldSource[]): Promise<AlignResult | null>
}

/** Makes what one process does about them. @param lifetimeMs  {@link LIFETIME_MS} when left out */
export function createConfiguredHolds ({ redis, keys }: RecordStore, lifetimeMs = LIFETIME_MS): ConfiguredHolds {
  const by = randomUUID()
  /** When this process took its configuration up last, epoch milliseconds of Redis or a little later; 0 before. */
  let takenUpAt = 0

  async function align (configured: readonly HoldSource[], at: number): Promise<AlignResult | null> {
    const { output } = await runPackedScript(redis, ALIGN, {
      key: keys.subscribers,
      input: {
        prefix: `{${keys.prefix}}:`, by, at, lifetimeMs, configured: configured.map(({ name, enabled, url }) => [name, enabled, digestOf(url)])
      }
    })
    const [place, changes, removed] = output as [number, Array<[string, SubscriberHold, boolean]>, string[]]
    if (place === 0) return null
    takenUpAt = Math.max(takenUpAt, place)
    return { changes: changes.map(([subscriber, hold, set]) => ({ subscriber, hold, set })), removed }
  }

  return {
    takeUp: async configured => (await align(configured, 0))!,
    keep: async configured => await align(configured, takenUpAt)
  }
}

/** Where deliveries go, too short to be turned back. */
function digestOf (url: string): string {
  return createHash('sha256').update(url).digest('hex').slice(0, 8)
}
