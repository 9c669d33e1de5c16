/**
 * Which headers a subscriber's entry may set: not ours, and not those of the
 * connection.
 */
import { validateHeaderName } from 'node:http'
import type { PlacedRefusal } from './fault.js'
import type { Path } from './written.js'

/** Ours, or made from the request itself. */
const OURS = /^(host|content-length|connection|transfer-encoding|webhook-.*|relay-.*)$/i

/** The client would refuse these at every attempt, so they are refused here. */
const UNSENDABLE = /^(expect|keep-alive|upgrade)$/i

/** The problems of these names; case does not matter. */
export function headerProblems (names: readonly string[], path: Path): PlacedRefusal[] {
  return names.flatMap((name, at) => {
    const problem = problemOf(name, names.slice(0, at))
    return problem === undefined ? [] : [{ path: [...path, name], problem, at: { path: [...path, name], on: 'key' as const } }]
  })
}

function problemOf (name: string, before: readonly string[]): string | undefined {
  if (!isHeaderName(name)) return 'is not a header name'
  if (OURS.test(name)) return 'may not be set: the gateway sets it itself'
  if (UNSENDABLE.test(name)) return 'may not be set: it cannot be sent'
  if (before.some(other => other.toLowerCase() === name.toLowerCase())) return 'is there twice: case does not count'
  return undefined
}

function isHeaderName (name: string): boolean {
  try {
    validateHeaderName(name)
    return true
  } catch {
    return false
  }
}
