/**
 * Work that takes minutes. The first Ctrl-C or SIGTERM ends it after the current
 * step, so that finished steps stay consistent; the second ends the process.
 */
import { CommandFailure } from './failure.js'

/**
 * Runs it.
 *
 * @param interrupted  what to say, and what to do next, after an interrupt
 * @throws CommandFailure after an interrupt; errors of the work
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
