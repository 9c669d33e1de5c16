/**
 * The signals of a process that runs a gateway, from its first moment to its last.
 *
 * Imports nothing: it is there before the rest of the program is loaded, which
 * takes longer than a supervisor, or a terminal that is closed, may wait.
 */

/** What to do when one comes. */
interface Handlers {
  /** SIGTERM or SIGINT. */
  onStop: () => void
  /** SIGHUP. */
  onHangup: () => void
}

export interface Signals {
  /** From now on these are asked. */
  handOver (handlers: Handlers): void
  /** Leaves them to the system again, whose way is to end the process. */
  release (): void
}

/** There is one process, and its signals come to one. */
let watched: Signals | null = null

/**
 * Catches the signals. Until they are handed over there is nothing to stop and nothing that
 * was read: a stop ends the process at once, with 0, and a hangup means nothing.
 *
 * @returns the same until it is released
 */
export function watchSignals (): Signals {
  watched ??= watch()
  return watched
}

function watch (): Signals {
  let handlers: Handlers = { onStop: () => { process.exit(0) }, onHangup: () => {} }
  const onStop = (): void => { handlers.onStop() }
  const onHangup = (): void => { handlers.onHangup() }
  process.on('SIGTERM', onStop).on('SIGINT', onStop).on('SIGHUP', onHangup)
  // Recipes for log rotation send one of these. By itself Node would open its debugger at the first, through which any
  // program of this machine could read every secret, and end without a stop at the second.
  process.on('SIGUSR1', ignore).on('SIGUSR2', ignore)
  return {
    handOver (to) { handlers = to },
    release () {
      process.off('SIGTERM', onStop).off('SIGINT', onStop).off('SIGHUP', onHangup).off('SIGUSR1', ignore).off('SIGUSR2', ignore)
      watched = null
    }
  }
}

function ignore (): void {}
