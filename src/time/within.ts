/** Deadlines for a promise. Late work continues, and its result is ignored. */

/**
 * Waits at most this many milliseconds.
 *
 * @param late  returns the value to resolve with, or throws, if it takes longer
 * @throws      errors of the promise in time, and errors of `late`
 */
export async function within<T, Late> (ms: number, promise: Promise<T>, late: () => Late): Promise<T | Late> {
  let timer: NodeJS.Timeout | undefined
  const isLate = new Promise<typeof LATE>(resolve => { timer = setTimeout(resolve, ms, LATE) })
  try {
    const first = await Promise.race([promise, isLate])
    return first === LATE ? late() : first as T
  } finally {
    clearTimeout(timer)
  }
}

const LATE = Symbol('late')

/**
 * Waits until a signal is aborted at the latest.
 *
 * @throws  errors of the promise, and the reason of the signal
 */
export async function unlessAborted<T> (signal: AbortSignal, promise: Promise<T>): Promise<T> {
  let onAbort = (): void => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => { reject(signal.reason instanceof Error ? signal.reason : new Error('given up')) }
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
  })
  try {
    return await Promise.race([promise, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
