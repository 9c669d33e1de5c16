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
  if (!isRelayError(error)) return fileFailure(error) ?? error
  const faults = error.details['faults']
  if (error.code === 'CONFIG_INVALID' && Array.isArray(faults)) {
    listFaults(faults as Fault[], configFile, terminal)
    return faultsIn(configFile, faults.length)
  }
  return new CommandFailure(error.message, { exitCode: exitCodeOf(error), cause: error })
}

/** What the system refuses about a file is no fault of ours, and a stack helps nobody; `null` for every other error. */
function fileFailure (error: unknown): CommandFailure | null {
  const { code = '', path, syscall = 'use' } = error as NodeJS.ErrnoException
  const nextStep = FILE_STEPS[code]
  if (path === undefined || nextStep === undefined) return null
  return new CommandFailure(`${path} cannot be used (${code} on ${syscall})`, { nextSteps: [nextStep()], cause: error })
}

const notOurs = (): string => `this process is uid ${process.geteuid?.() ?? 'unknown'}: run it as the owner of the file (ls -ln shows who that is), or give it the file (chown)`
const noRoom = (): string => 'make room on that disk'

const FILE_STEPS: Readonly<Record<string, () => string>> = {
  EACCES: notOurs,
  EPERM: notOurs,
  EROFS: () => 'that file system is read-only: set a dataDir that can be written to',
  ENOSPC: noRoom,
  EDQUOT: noRoom
}
