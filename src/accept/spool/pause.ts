/**
 * A wait that can be ended early.
 */
export interface Pause {
  /** Resolves after this many milliseconds, or with `end`. One at a time. */
  take (ms: number): Promise<void>
  /** Ends the wait; does nothing if there is none. */
  end (): void
}

/** Makes a pause; it begins with the first wait. */
export function createPause (): Pause {
  let end = (): void => {}
  return {
    take: async ms => await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ms)
      end = () => {
        clearTimeout(timer)
        resolve()
      }
    }),
    end () { end() }
  }
}
