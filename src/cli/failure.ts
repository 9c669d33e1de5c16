/**
 * Why a command ends before its work is done, as one says it to a person:
 * what happened, what to do next, and how the process ends.
 *
 * Thrown by commands, shown in one place (`run`). Its texts hold no token, no
 * secret and no body.
 */
import { isRelayError, type ErrorCode } from '../model/errors.js'

/** 0 clean, 1 runtime failure, 2 bad usage or configuration. */
export type ExitCode = 0 | 1 | 2

interface FailureOptions extends ErrorOptions {
  /** 1 when absent. */
  exitCode?: ExitCode
  /** What to do about it, one line each. */
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

/** A flag or argument that cannot be right: exit code 2. */
export function badUsage (message: string, ...nextSteps: string[]): CommandFailure {
  return new CommandFailure(message, { exitCode: 2, nextSteps })
}

const USAGE_CODES: readonly ErrorCode[] = ['CONFIG_INVALID', 'USAGE', 'INVALID_REQUEST']

/** The exit code that an error stands for; 1 for everything unexpected. */
export function exitCodeOf (error: unknown): ExitCode {
  if (error instanceof CommandFailure) return error.exitCode
  return isRelayError(error) && USAGE_CODES.includes(error.code) ? 2 : 1
}
