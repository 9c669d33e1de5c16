/**
 * Work that takes minutes: the first Ctrl-C or SIGTERM asks it to end at the
 * next step, so that what is done stays in order; the second ends the process.
 */
import { CommandFailure } from './failure.js'

/**
 * Runs it.
 *
 * @param interrupted  what to say, and what to do next, when it was ended early
 * @throws CommandFailure when it was; what the work throws
 */
export async function runLongWork<Result> (
  work: (signal: AbortSignal) => Promise<Result>, interrupted: { message: string, nextSteps: readonly string[] }
): Promise<Result> {
  const stopping = new AbortController()
  const stop = (): void => { stopping.abort() }
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    return await work(stopping.signal)
  } catch (error) {
    if (stopping.signal.aborted && error === stopping.signal.reason) throw new CommandFailure(interrupted.message, interrupted)
    throw error
  } finally {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}
