/**
 * Host names, asked for so that names which nobody answers hold up no others.
 *
 * The system's resolver answers on threads: of the four a process has, two are
 * for names. A name server that is down keeps one of them for ten seconds and
 * more. A subscriber with sixteen attempts in flight would so hold both, and
 * every other subscriber with them. Hence all who ask for one name share one
 * question, and names that failed slowly the last time are asked one after the
 * other: however many they are, they hold one thread between them. Only two
 * that stop being answered at the same moment hold both, once.
 *
 * Caches nothing: the next question after an answer goes to the resolver.
 */
import { lookup as ask, type LookupAddress, type LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'

type Callback = Parameters<LookupFunction>[2]

/** As `dns.lookup`: answers once, later. */
export type Question = (hostname: string, options: LookupOptions, callback: Callback) => void

interface Asked { hostname: string, options: LookupOptions, key: string }

/** A name server that is there says no sooner, milliseconds. */
const SLOW_MS = 1_000

/**
 * Makes a lookup for `net.connect` that never has two questions for the same
 * name and options under way, nor two for names that failed slowly.
 *
 * @param question  who is asked; the system's resolver unless a test says otherwise
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
      // A good name may have waited for the bad ones.
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

/** Each asker gets an array of its own: `net` may reorder it. With an error there is no address at all. */
function copyOf <T> (address: T | LookupAddress[]): T | LookupAddress[] {
  return Array.isArray(address) ? [...address] : address
}
