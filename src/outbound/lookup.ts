/**
 * Looks up host names, so that a name whose server does not answer delays no other
 * name.
 *
 * The system's resolver answers on threads: of the four threads of a process, it
 * uses two for names. A name server that is down blocks one of them for ten
 * seconds and more. A subscriber with sixteen attempts in flight would block
 * both, and with them every other subscriber. So all callers that ask for the
 * same name share one question. Names that failed slowly the last time are asked
 * one after the other: together they block at most one thread. Only two names
 * that stop being answered at the same moment block both, once.
 *
 * Caches nothing: the next question after an answer goes to the resolver. A
 * changed address is used as soon as a connection is opened again, which is
 * after a minute at most (see `connection`).
 */
import { lookup as ask, type LookupAddress, type LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'

type Callback = Parameters<LookupFunction>[2]

/** Like `dns.lookup`: answers once, asynchronously. */
export type Question = (hostname: string, options: LookupOptions, callback: Callback) => void

interface Asked { hostname: string, options: LookupOptions, key: string }

/** An answer that takes longer, in milliseconds, comes from a name server with a problem. */
const SLOW_MS = 1_000

/**
 * Makes a lookup for `net.connect` that never asks two questions for the same
 * name and options at a time, nor for two names that failed slowly.
 *
 * @param question  the resolver; the system's unless a test replaces it
 * @param clock     milliseconds
 */
export function createLookup (question: Question = ask as Question, clock: () => number = () => performance.now()): LookupFunction {
  const waiting = new Map<string, Callback[]>()
  const slow = new Set<string>()
  const line: Asked[] = []
  let lineMoves = false

  function pose ({ hostname, options, key }: Asked, done: () => void): void {
    const since = clock()
    question(hostname, options, (error, address, family) => {
      // A good name may have waited for bad ones.
      if (error !== null && clock() - since > SLOW_MS) slow.add(key)
      else slow.delete(key)
      const askers = waiting.get(key) ?? []
      waiting.delete(key)
      done()
      for (const answer of askers) answer(error, copyOf(address), family)
    })
  }

  function poseNextInLine (): void {
    const next = line.shift()
    lineMoves = next !== undefined
    if (next !== undefined) pose(next, poseNextInLine)
  }

  return (hostname, options, callback) => {
    const key = `${hostname} ${options.family ?? 0} ${options.hints ?? 0} ${options.all ?? false}`
    const others = waiting.get(key)
    if (others !== undefined) {
      others.push(callback)
      return
    }
    waiting.set(key, [callback])
    const asked = { hostname, options, key }
    if (!slow.has(key)) {
      pose(asked, () => {})
      return
    }
    line.push(asked)
    if (!lineMoves) poseNextInLine()
  }
}

/** Each caller gets its own array, because `net` may reorder it. With an error there is no address. */
function copyOf <T> (address: T | LookupAddress[]): T | LookupAddress[] {
  return Array.isArray(address) ? [...address] : address
}
