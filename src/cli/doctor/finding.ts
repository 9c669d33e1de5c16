/**
 * What the doctor found: one thing that is well, or not, and what to do.
 */

export interface Finding {
  /** What was looked at, in a word or two: stable, for scripts. */
  check: string
  /** `warning` may be meant so; `bad` keeps the gateway from its work. */
  state: 'good' | 'warning' | 'bad'
  says: string
  nextStep?: string
}

/** All is well. */
export function good (check: string, says: string): Finding {
  return { check, state: 'good', says }
}

/** It may be meant so. */
export function warning (check: string, says: string, nextStep: string): Finding {
  return { check, state: 'warning', says, nextStep }
}

/** It must be mended. */
export function bad (check: string, says: string, nextStep: string): Finding {
  return { check, state: 'bad', says, nextStep }
}
