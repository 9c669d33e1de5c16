/**
 * The spool of this process, if it takes callbacks and its configuration wants
 * one.
 */
import { join } from 'node:path'
import type { Accept } from '../accept/arrival.js'
import { openSpooling, type Spooling } from '../accept/spool/spooling.js'
import type { Config } from '../config/config.js'
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
    redis: storage.accepting.redis,
    probe: storage.probe,
    dir,
    maxBytes: config().spool.maxBytes,
    ignoreFields: () => config().dedupe.ignoreFields,
    report
  })
  teardown.push('spool', spooling.close)
  return spooling
}
