/** Deadlines for a promise. What is late goes on, unheard; nobody can take back what was begun. */

/**
 * Waits no longer than so many milliseconds.
 *
 * @param late  what to resolve with, or to throw, when it takes longer
 * @throws      what the promise rejects with in time, and what `late` throws
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
 * Waits no longer than until a signal is aborted.
 *
 * @throws  what the promise rejects with, and the signal's reason
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
