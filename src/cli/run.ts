/**
 * One run of the program: arguments in, exit code out. Only this file shows errors.
 */
import { CommanderError } from 'commander'
import { isRelayError } from '../model/errors.js'
import type { ProgramDeps } from './deps.js'
import { CommandFailure, exitCodeOf, type ExitCode } from './failure.js'
import { buildProgram } from './program.js'
import { plainText } from './plain-text.js'
import type { Terminal } from './terminal.js'

/**
 * Runs a command.
 *
 * @param words  the arguments after the name of the program
 * @returns      0 clean, 1 runtime failure, 2 bad usage or configuration
 * @throws       never
 */
export async function runProgram (words: readonly string[], deps: ProgramDeps): Promise<ExitCode> {
  try {
    await buildProgram(deps).parseAsync(words, { from: 'user' })
    await deps.terminal.settled()
    return 0
  } catch (error) {
    // Commander has already written its message.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    showFailure(error, deps.terminal)
    return exitCodeOf(error)
  }
}

function showFailure (error: unknown, terminal: Terminal): void {
  const { red } = terminal.paintError
  if (!(error instanceof CommandFailure) && !isRelayError(error)) {
    terminal.error(red('Internal error of fotor-relay: ') + (error instanceof Error ? error.stack ?? error.message : String(error)))
    return
  }
  terminal.error(red('error: ') + plainText(error.message))
  if (error instanceof CommandFailure) for (const step of error.nextSteps) terminal.error(`  → ${plainText(step)}`)
}
