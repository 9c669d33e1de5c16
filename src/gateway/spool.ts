/**
 * The spool of this process, if it takes callbacks and its configuration wants
 * one; and what everybody may know of it.
 */
import { join } from 'node:path'
import type { Accept } from '../accept/arrival.js'
import { openSpooling, type SpoolStatus, type Spooling } from '../accept/spool/spooling.js'
import type { Config } from '../config/config.js'
import { formatSize } from '../config/size.js'
import type { Condition } from '../model/alert.js'
import type { Report } from '../model/fact.js'
import type { Role } from '../model/replica.js'
import type { Storage } from './storage.js'
import type { Teardown } from './teardown.js'

/** Where callbacks are kept while Redis is away; `null` for a process that has no spool. */
export function spoolDirOf ({ spool: { enabled, dir }, dataDir }: Config, role: Role): string | null {
  return enabled && role !== 'deliver' ? dir ?? join(dataDir, 'spool') : null
}

export interface SpoolOptions {
  config: () => Config
  role: Role
  /** The way to Redis. */
  accept: Accept
  storage: Storage
  report: Report
  teardown: Teardown
}

/** Opens it; `null` when there is none. Never rejects. */
export async function openSpool ({ config, role, accept, storage, report, teardown }: SpoolOptions): Promise<Spooling | null> {
  const dir = spoolDirOf(config(), role)
  if (dir === null) return null
  const spooling = await openSpooling({
    accept,
    redis: storage.failFast.redis,
    probe: storage.probe,
    verify: storage.verify,
    dir,
    maxBytes: config().spool.maxBytes,
    ignoreFields: () => config().dedupe.ignoreFields,
    report
  })
  teardown.push('spool', spooling.close)
  return spooling
}

/** Of its most bytes, this share is nearly all. */
const FILLING_ABOVE = 0.8

/** What an operator should know of it. No path: anybody may read it. */
export function conditionsOfSpool (status: SpoolStatus, nowMs = Date.now()): Condition[] {
  const about = { of: 'replica', subscriber: null } as const
  const { callbacks, bytes, maxBytes, oldestAt, problem, setAside } = status
  const age = Math.max(0, Math.round((nowMs - (oldestAt ?? nowMs)) / 1_000))
  const figures = { callbacks, bytes, maxBytes, oldestAgeSeconds: age }
  const all: Array<Condition | false> = [
    problem !== null && {
      ...about, name: 'spool-broken', severity: 'critical', summary: `the spool takes no callbacks (${problem}): they would be refused while Redis is away`
    },
    oldestAt !== null && {
      ...about,
      name: 'spool-waiting',
      severity: 'warning',
      summary: `${callbacks} ${callbacks === 1 ? 'callback waits' : 'callbacks wait'} in the spool (${formatSize(roundUp(bytes))}), the oldest for ${age} s`,
      figures
    },
    bytes > maxBytes * FILLING_ABOVE && {
      ...about, name: 'spool-filling', severity: 'critical', summary: `the spool is ${Math.floor(bytes / maxBytes * 100)} % full; a full one takes no callbacks, and they are refused`, figures
    },
    setAside > 0 && {
      ...about,
      name: 'spool-set-aside',
      severity: 'warning',
      summary: `the spool has set ${setAside} ${setAside === 1 ? 'file' : 'files'} aside that cannot be accepted: see what it holds, then remove it`,
      figures: { files: setAside }
    }
  ]
  return all.filter(condition => condition !== false)
}

/** To whole kilobytes. */
function roundUp (bytes: number): number {
  return Math.ceil(bytes / 1_024) * 1_024
}
