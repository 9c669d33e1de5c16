/**
 * Applies a changed configuration while the gateway runs.
 *
 * Does everything that can fail before anything changes: a file with faults, a
 * change that needs a restart, one that looks like a file cut short, or a part that
 * cannot take up the new values leaves the running configuration as it is. One reload at a time.
 */
import { isRelayError } from '../model/errors.js'
import type { Report } from '../model/fact.js'
import { changesBetween } from './changes.js'
import type { Config } from './config.js'
import { formatFault, wholeFileFault, type Fault, type PlacedRefusal } from './fault.js'
import { loadConfig, type LoadOptions } from './load.js'
import { createRemovalCheck, type RemovalCheck, type RemovalOptions } from './removals.js'
import { needsRestart } from './restart-keys.js'
import { untilWritten, type WriteWait } from './until-written.js'

/** The result of a reload: the changes, as `changesBetween` names them, or why there are none. */
export type ReloadResult = { changed: string[] } | { faults: Fault[] }

export interface ReloadRequest {
  /** Subscribers may go although deliveries wait for them. */
  allowRemovals?: boolean | undefined
}

export interface Reloader {
  /** The configuration in use. */
  current (): Config
  /** Why the last reload was refused; empty if it was not. */
  lastFaults (): Fault[]
  /** Reads the file again. Never rejects; waits for a reload that is under way. */
  reload (request?: ReloadRequest): Promise<ReloadResult>
}

export interface ReloaderOptions extends LoadOptions, RemovalOptions {
  /** The configuration that the gateway started with. */
  initial: Config
  /** Hands the new configuration to the parts; when it rejects, nothing may have changed. */
  apply: (config: Config, request: ReloadRequest) => Promise<void> | void
  report: Report
  /** How long the file must have been left alone; for tests. */
  writeWait?: WriteWait
}

/** Makes the reloader of a gateway. */
export function createReloader (options: ReloaderOptions): Reloader {
  const { file, env, initial, apply, report, writeWait } = options
  const removals = createRemovalCheck(options)
  let current = initial
  let lastFaults: Fault[] = []
  let underWay: Promise<unknown> = Promise.resolve()

  async function reloadNow (request: ReloadRequest): Promise<ReloadResult> {
    await untilWritten(file, writeWait)
    const next = await checkNext({ file, env }, { current, removals, request })
    const faults = 'faults' in next ? next.faults : await applied(async () => { await apply(next.config, request) })
    lastFaults = faults
    if (faults.length > 0 || 'faults' in next) {
      report({ fact: 'config.refused', faults: faults.map(fault => formatFault(fault)) })
      return { faults }
    }
    current = next.config
    report({ fact: 'config.loaded', changed: next.changed })
    return { changed: next.changed }
  }

  return {
    current: () => current,
    lastFaults: () => [...lastFaults],
    reload: async (request = {}) => {
      const mine = underWay.then(async () => await reloadNow(request))
      underWay = mine
      return await mine
    }
  }
}

type CheckedConfig = { config: Config, changed: string[] } | { faults: Fault[] }

/** Loads the file and sees whether a running gateway may take it up. */
async function checkNext (options: LoadOptions, { current, removals, request }: { current: Config, removals: RemovalCheck, request: ReloadRequest }): Promise<CheckedConfig> {
  const loaded = await loadConfig(options)
  if ('faults' in loaded) return loaded
  const changed = changesBetween(current, loaded.config)
  const problems = changed.flatMap<PlacedRefusal>(change => {
    const path = needsRestart(change)
    return path === undefined ? [] : [{ path, problem: 'needs a restart to change', hint: 'restart the gateway, or restore the old value; nothing of this file is applied' }]
  })
  if (problems.length > 0) return { faults: loaded.placeFaults(problems) }
  if (loaded.isEmpty && changed.length > 0) return { faults: [wholeFileFault('nothing stands in the file', 'write it again; {} means that every value is the default')] }
  const refusal = await removals.refuse({ before: current, after: loaded.config }, request.allowRemovals === true)
  return refusal === null ? { config: loaded.config, changed } : { faults: loaded.placeFaults([refusal]) }
}

async function applied (apply: () => Promise<void>): Promise<Fault[]> {
  try {
    await apply()
    return []
  } catch (error) {
    return [wholeFileFault(`the new configuration could not be taken up: ${safeMessage(error)}`, 'the old one is still in force')]
  }
}

/** Our own messages are safe to show; others may quote secrets. */
function safeMessage (error: unknown): string {
  if (isRelayError(error)) return error.message
  if (!(error instanceof Error)) return 'unknown reason'
  return 'code' in error ? `${error.name} ${String(error.code)}` : error.name
}
