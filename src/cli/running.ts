/**
 * A gateway in this process, from its start to its end: signals and fatal errors.
 *
 *   SIGTERM, SIGINT   stop, once; again: say that it is stopping; a third time: end at once, with 1
 *                     during the start: say so and give it up, with 0; again: end at once, with 1
 *   SIGHUP            reload; the gateway logs what came of it. During the start: once it has started
 *   SIGUSR1, SIGUSR2  nothing
 *   an error that nobody caught: say it, and end with 1
 */
import type { RunningGateway } from './deps.js'
import { watchSignals, type Signals } from './signals.js'
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
  const signals = watchSignals()
  const asked = requestsBy(signals, terminal)
  const sparing = dieLoudly(terminal)
  try {
    const gateway = await start(asked.signal).catch((error: unknown) => {
      if (asked.yet()) return null
      throw startFailure(error, configFile, terminal)
    })
    if (gateway === null) return
    asked.hasStarted(() => { gateway.reload().catch(() => { /* never rejects */ }) })
    try {
      if (asked.yet()) return
      const running = onRunning(gateway)
      if (await Promise.race([running, asked.first]) === 'stay') await asked.first
    } finally {
      await gateway.stop()
    }
  } finally {
    signals.release()
    sparing.release()
  }
}

interface Requests {
  /** Resolves at the first request to stop. */
  first: Promise<'asked'>
  /** Whether there was a signal. */
  yet: () => boolean
  /** Aborted at the first signal. */
  signal: AbortSignal
  /** From now on there is something to stop, and something to reload; a reload that was asked for before begins now. */
  hasStarted: (reload: () => void) => void
}

function requestsBy (signals: Signals, terminal: Terminal): Requests {
  let count = 0
  let isReloadWanted = false
  let reload: (() => void) | null = null
  const stopping = new AbortController()
  let resolve: (asked: 'asked') => void = () => {}
  const first = new Promise<'asked'>(_resolve => { resolve = _resolve })
  signals.handOver({
    onStop () {
      const isStarting = reload === null
      count += 1
      if (count === 1) {
        resolve('asked')
        stopping.abort()
      }
      if (count > 2 || (count === 2 && isStarting)) process.exit(1)
      if (isStarting) terminal.error('The start is cancelled. Press again to stop at once.')
      else if (count === 2) terminal.error('Stopping: waiting for deliveries in flight. Press again to stop at once.')
    },
    onHangup () {
      if (reload === null) isReloadWanted = true
      else reload()
    }
  })
  return {
    first,
    yet: () => count > 0,
    signal: stopping.signal,
    hasStarted (how) {
      reload = how
      if (isReloadWanted && count === 0) reload()
    }
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
