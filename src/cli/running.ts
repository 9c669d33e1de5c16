/**
 * A gateway in this process, from its start to its end: signals and fatal errors.
 *
 *   SIGTERM, SIGINT   stop, once; again: report that it is stopping; a third time: exit with 1 at once
 *                     during the start: report it and cancel the start, exit with 0; again: exit with 1 at once
 *   SIGHUP            reload; the gateway logs the result
 *   an uncaught error: report it, and exit with 1
 */
import type { RunningGateway } from './deps.js'
import { startFailure } from './start-failure.js'
import type { Terminal } from './terminal.js'

export interface RunOptions {
  configFile: string
  terminal: Terminal
  /** @param signal  aborted: the start is cancelled */
  start: (signal: AbortSignal) => Promise<RunningGateway>
  /** Called when the gateway runs; resolves with `stop` when it is no longer needed. */
  onRunning: (gateway: RunningGateway) => Promise<'stay' | 'stop'>
}

/**
 * Starts a gateway and returns when it has stopped.
 *
 * @throws CommandFailure if it could not start; errors of `onRunning`, after it has stopped
 */
export async function runGateway ({ configFile, terminal, start, onRunning }: RunOptions): Promise<void> {
  const asked = stopRequests(terminal)
  const sparing = dieLoudly(terminal)
  try {
    const gateway = await start(asked.signal).catch((error: unknown) => {
      if (asked.yet()) return null
      throw startFailure(error, configFile, terminal)
    })
    if (gateway === null) return
    asked.hasStarted()
    const onHangup = (): void => { gateway.reload().catch(() => { /* never rejects */ }) }
    process.on('SIGHUP', onHangup)
    try {
      if (asked.yet()) return
      const running = onRunning(gateway)
      if (await Promise.race([running, asked.first]) === 'stay') await asked.first
    } finally {
      await gateway.stop()
      process.off('SIGHUP', onHangup)
    }
  } finally {
    asked.release()
    sparing.release()
  }
}

interface StopRequests {
  /** Resolves at the first signal. */
  first: Promise<'asked'>
  /** Whether there was a signal. */
  yet: () => boolean
  /** Aborted at the first signal. */
  signal: AbortSignal
  /** The start is over: from now on, a signal stops the gateway. */
  hasStarted: () => void
  release: () => void
}

function stopRequests (terminal: Terminal): StopRequests {
  let count = 0
  let isStarting = true
  const stopping = new AbortController()
  let resolve: (asked: 'asked') => void = () => {}
  const first = new Promise<'asked'>(_resolve => { resolve = _resolve })
  const onSignal = (): void => {
    count += 1
    if (count === 1) {
      resolve('asked')
      stopping.abort()
    }
    if (count > 2 || (count === 2 && isStarting)) process.exit(1)
    if (isStarting) terminal.error('The start is cancelled. Press again to stop at once.')
    else if (count === 2) terminal.error('Stopping: waiting for deliveries in flight. Press again to stop at once.')
  }
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  return {
    first,
    yet: () => count > 0,
    signal: stopping.signal,
    hasStarted () { isStarting = false },
    release () { process.off('SIGTERM', onSignal).off('SIGINT', onSignal) }
  }
}

/** An uncaught error ends the process, because its state is unknown. */
function dieLoudly (terminal: Terminal): { release: () => void } {
  const onError = (error: unknown): void => {
    terminal.error(`Internal error of fotor-relay; the process exits: ${error instanceof Error ? error.stack ?? error.message : String(error)}`)
    process.exit(1)
  }
  process.on('uncaughtException', onError).on('unhandledRejection', onError)
  return { release () { process.off('uncaughtException', onError).off('unhandledRejection', onError) } }
}
