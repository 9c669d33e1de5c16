/**
 * Applies a changed configuration while the gateway runs.
 *
 * Every step that can fail comes before the first change: after a fault in the
 * file, a change that needs a restart, or a part that cannot apply the new values,
 * the running configuration stays as it is. One reload at a time.
 */
import { isRelayError } from '../model/errors.js'
import type { Report } from '../model/fact.js'
import { changesBetween } from './changes.js'
import type { Config } from './config.js'
import { formatFault, wholeFileFault, type Fault, type PlacedRefusal } from './fault.js'
import { loadConfig, type LoadOptions } from './load.js'
import { needsRestart } from './restart-keys.js'

/** The result of a reload: the changes, as `changesBetween` names them, or why there are none. */
export type ReloadResult = { changed: string[] } | { faults: Fault[] }

export interface Reloader {
  /** The configuration in use. */
  current (): Config
  /** Why the last reload was refused; empty if it was not. */
  lastFaults (): Fault[]
  /** Reads the file again. Never rejects; waits for a reload in progress. */
  reload (): Promise<ReloadResult>
}

export interface ReloaderOptions extends LoadOptions {
  /** The configuration of the start. */
  initial: Config
  /** Applies the new configuration to all parts; if it rejects, nothing may have changed. */
  apply: (config: Config) => Promise<void> | void
  report: Report
}

/** Makes the reloader of a gateway. */
export function createReloader ({ file, env, initial, apply, report }: ReloaderOptions): Reloader {
  let current = initial
  let lastFaults: Fault[] = []
  let underWay: Promise<unknown> = Promise.resolve()

  async function reloadNow (): Promise<ReloadResult> {
    const next = await checkNext({ file, env }, current)
    const faults = 'faults' in next ? next.faults : await applied(apply, next.config)
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
    reload: async () => {
      const mine = underWay.then(reloadNow)
      underWay = mine
      return await mine
    }
  }
}

type CheckedConfig = { config: Config, changed: string[] } | { faults: Fault[] }

/** Loads the file and checks whether a running gateway can apply it. */
async function checkNext (options: LoadOptions, current: Config): Promise<CheckedConfig> {
  const loaded = await loadConfig(options)
  if ('faults' in loaded) return loaded
  const changed = changesBetween(current, loaded.config)
  const problems = changed.flatMap<PlacedRefusal>(change => {
    const path = needsRestart(change)
    return path === undefined ? [] : [{ path, problem: 'needs a restart to change', hint: 'restart the gateway, or restore the old value; nothing of this file is applied' }]
  })
  return problems.length > 0 ? { faults: loaded.placeFaults(problems) } : { config: loaded.config, changed }
}

async function applied (apply: ReloaderOptions['apply'], config: Config): Promise<Fault[]> {
  try {
    await apply(config)
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
