/**
 * Why a gateway did not start, in words for the person who started it.
 */
import type { Fault } from '../config/fault.js'
import { isRelayError } from '../model/errors.js'
import { faultsIn, listFaults } from './config-file.js'
import { CommandFailure, exitCodeOf } from './failure.js'
import type { Terminal } from './terminal.js'

/**
 * @returns the failure of the command, after it has listed faults of the configuration
 *          on standard error. An error that is not ours is returned unchanged
 */
export function startFailure (error: unknown, configFile: string, terminal: Terminal): unknown {
  if (!isRelayError(error)) return error
  const faults = error.details['faults']
  if (error.code === 'CONFIG_INVALID' && Array.isArray(faults)) {
    listFaults(faults as Fault[], configFile, terminal)
    return faultsIn(configFile, faults.length)
  }
  return new CommandFailure(error.message, { exitCode: exitCodeOf(error), cause: error })
}
