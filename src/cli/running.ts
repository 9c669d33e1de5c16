/**
 * A gateway in this process, from its start to its end: signals, and what
 * cannot be survived.
 *
 *   SIGTERM, SIGINT   stop, once; again: say that it is stopping; a third time: end at once, with 1
 *                     during the start: say so and give it up, with 0; again: end at once, with 1
 *   SIGHUP            reload; the gateway logs what came of it
 *   SIGUSR1, SIGUSR2  nothing
 *   an error that nobody caught: say it, and end with 1
 */
import type { RunningGateway } from './deps.js'
import { startFailure } from './start-failure.js'
import type { Terminal } from './terminal.js'

export interface RunOptions {
  configFile: string
  terminal: Terminal
  /** @param signal  aborted: the start is given up */
  start: (signal: AbortSignal) => Promise<RunningGateway>
  /** Called when it runs; resolves with `stop` when the gateway is wanted no more. */
  onRunning: (gateway: RunningGateway) => Promise<'stay' | 'stop'>
}

/**
 * Starts a gateway and returns when it has stopped.
 *
 * @throws CommandFailure when it could not start, and whatever `onRunning` rejects with, once it has stopped
 */
export async function runGateway ({ configFile, terminal, start, onRunning }: RunOptions): Promise<void> {
  const deaf = ignoreUserSignals()
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
    deaf.release()
  }
}

/**
 * Recipes for log rotation send one of these. By itself Node would open its
 * debugger at the first, through which any program of this machine could read
 * every secret, and end without a stop at the second.
 */
function ignoreUserSignals (): { release: () => void } {
  const ignore = (): void => {}
  process.on('SIGUSR1', ignore).on('SIGUSR2', ignore)
  return { release () { process.off('SIGUSR1', ignore).off('SIGUSR2', ignore) } }
}

interface StopRequests {
  /** Resolves at the first. */
  first: Promise<'asked'>
  /** Whether there was one. */
  yet: () => boolean
  /** Aborted at the first. */
  signal: AbortSignal
  /** From now on there is something to stop. */
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
    if (isStarting) terminal.error('The start is given up. Repeat to stop at once.')
    else if (count === 2) terminal.error('Stopping: waiting for deliveries in flight. Repeat to stop at once.')
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

/** What nobody caught ends the process: nobody knows what still holds. */
function dieLoudly (terminal: Terminal): { release: () => void } {
  const onError = (error: unknown): void => {
    terminal.error(`Internal error of fotor-relay; it stops now: ${error instanceof Error ? error.stack ?? error.message : String(error)}`)
    process.exit(1)
  }
  process.on('uncaughtException', onError).on('unhandledRejection', onError)
  return { release () { process.off('uncaughtException', onError).off('unhandledRejection', onError) } }
}
