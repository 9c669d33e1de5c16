/**
 * Where a request is addressed to, and how one that comes near can have missed.
 *
 * The path is compared as it came: nothing is decoded, nothing normalised, but
 * that one slash at the end says nothing. Pure.
 */
import type { Hint } from '../model/fact.js'

/**
 * The path that a request asks for, without its query.
 *
 * @param target  of the request line; a whole URL names a path as well (RFC 9112 §3.2.2)
 */
export function pathOf (target: string): string {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '').split('?', 1)[0]!
  return path === '' ? '/' : path
}

/** A path without one slash at its end. */
export function plainPath (path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

/** What a path that is not the one served looks like; `undefined` for one that does not come near. */
export function hintOfPath (path: string, served: string): Hint | undefined {
  const [asked, right] = [partsOf(path), partsOf(served)]
  if (asked.join('/') === right.join('/')) return 'slashes'
  if (spelled(path) === spelled(served)) return 'spelling'
  const beginning = right.slice(0, -1)
  return beginning.length > 0 && beginning.every((part, at) => asked[at] === part) ? 'segment' : undefined
}

function partsOf (path: string): string[] {
  return path.split('/').filter(part => part !== '')
}

function spelled (path: string): string {
  try {
    return plainPath(decodeURIComponent(path)).toLowerCase()
  } catch {
    return path // no escape that anybody could read
  }
}
