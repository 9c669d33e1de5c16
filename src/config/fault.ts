/**
 * A fault in the configuration: what is wrong, where, and what to write.
 * Never contains a value from the file, an environment variable or a secret.
 */
import { formatPath, placeOf, type Path, type Place, type Written } from './written.js'
import type { Refusal } from './reading.js'

export interface Fault {
  /** `subscribers[0].url`; empty if it concerns the whole file. */
  path: string
  /** Follows the path in a sentence; safe to log. */
  message: string
  /** From 1; `null` if the file has no such place. */
  line: number | null
  /** From 1; `null` if the file has no such place. */
  column: number | null
  /** What to do about it. */
  hint?: string
}

/** A fault whose place in the file is not known yet. */
export interface PlacedRefusal extends Refusal {
  path: Path
  /** The place to point to; the value at `path` if absent. */
  at?: { path: Path, on: 'key' | 'value' }
  /** The place, if it is already known. */
  place?: Place
}

/** Finds the places of problems in the file; in the order of the file. */
export function locate (problems: readonly PlacedRefusal[], top: Written): Fault[] {
  return problems.map(problem => {
    const place = problem.place ?? placeOf(top, problem.at?.path ?? problem.path, problem.at?.on)
    return {
      path: formatPath(problem.path),
      message: problem.problem,
      line: place?.line ?? null,
      column: place?.column ?? null,
      ...(problem.hint === undefined ? {} : { hint: problem.hint })
    }
  }).sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity) || (a.column ?? 0) - (b.column ?? 0))
}

/** A fault of the whole file, without a place in it. */
export function wholeFileFault (message: string, hint: string): Fault {
  return { path: '', message, line: null, column: null, hint }
}

/**
 * One line for people: `relay.yaml:12:5: subscribers[0].url is missing (…)`.
 * The message of a fault of the whole file contains the file itself.
 *
 * @param file  the name that the reader knows; left out if absent
 */
export function formatFault (fault: Fault, file?: string): string {
  const isWholeFile = fault.path === '' && fault.line === null
  const place = isWholeFile ? '' : [file, fault.line, fault.column].filter(part => part !== undefined && part !== null).join(':')
  const sentence = fault.path === '' ? fault.message : `${fault.path} ${fault.message}`
  const hint = fault.hint === undefined ? '' : ` (${fault.hint})`
  return (place === '' ? '' : `${place}: `) + sentence + hint
}
