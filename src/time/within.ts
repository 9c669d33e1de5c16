/** A deadline for a promise. What is late goes on, unheard; nobody can take back what was begun. */

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
