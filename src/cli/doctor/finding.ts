/**
 * A finding of the doctor: whether one thing works, and what to do if not.
 */

export interface Finding {
  /** The name of the check: stable, for scripts. */
  check: string
  /** `warning` may be intended; `bad` prevents the gateway from working. */
  state: 'good' | 'warning' | 'bad'
  says: string
  nextStep?: string
}

/** A finding without a problem. */
export function good (check: string, says: string): Finding {
  return { check, state: 'good', says }
}

/** A finding that may be intended. */
export function warning (check: string, says: string, nextStep: string): Finding {
  return { check, state: 'warning', says, nextStep }
}

/** A finding that must be fixed. */
export function bad (check: string, says: string, nextStep: string): Finding {
  return { check, state: 'bad', says, nextStep }
}
