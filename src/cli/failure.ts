/**
 * Why a command ends before its work is done: what happened, what to do next, and
 * the exit code.
 *
 * Commands throw it, and only `run` shows it. Its texts contain no token, no
 * secret and no body.
 */
import { isRelayError, type ErrorCode } from '../model/errors.js'

/** 0 clean, 1 runtime failure, 2 bad usage or configuration. */
export type ExitCode = 0 | 1 | 2

interface FailureOptions extends ErrorOptions {
  /** Default 1. */
  exitCode?: ExitCode
  /** What to do next, one line each. */
  nextSteps?: readonly string[]
}

export class CommandFailure extends Error {
  readonly exitCode: ExitCode
  readonly nextSteps: readonly string[]

  constructor (message: string, { exitCode = 1, nextSteps = [], ...rest }: FailureOptions = {}) {
    super(message, rest)
    this.name = 'CommandFailure'
    this.exitCode = exitCode
    this.nextSteps = nextSteps
  }
}

/** An invalid flag or argument: exit code 2. */
export function badUsage (message: string, ...nextSteps: string[]): CommandFailure {
  return new CommandFailure(message, { exitCode: 2, nextSteps })
}

const USAGE_CODES: readonly ErrorCode[] = ['CONFIG_INVALID', 'USAGE', 'INVALID_REQUEST']

/** The exit code of an error; 1 for everything unexpected. */
export function exitCodeOf (error: unknown): ExitCode {
  if (error instanceof CommandFailure) return error.exitCode
  return isRelayError(error) && USAGE_CODES.includes(error.code) ? 2 : 1
}
