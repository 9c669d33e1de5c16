/**
 * Host names, asked for one at a time.
 *
 * The system's resolver answers on one of four threads, and a name server
 * that is down keeps a thread for many seconds. A subscriber with sixteen
 * attempts in flight would so hold all four, and every other subscriber with
 * them. Here all who ask for one name share one question: a dead name costs
 * one thread.
 *
 * Caches nothing: the next question after an answer goes to the resolver.
 */
import { lookup as ask, type LookupAddress, type LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'

type Callback = Parameters<LookupFunction>[2]
type Question = (hostname: string, options: LookupOptions, callback: Callback) => void

/**
 * Makes a lookup for `net.connect` that never has two questions for the same
 * name and options under way.
 *
 * @param question  who is asked; the system's resolver unless a test says otherwise
 */
export function createLookup (question: Question = ask as Question): LookupFunction {
  const waiting = new Map<string, Callback[]>()

  return (hostname, options, callback) => {
    const key = `${hostname} ${options.family ?? 0} ${options.hints ?? 0} ${options.all ?? false}`
    const others = waiting.get(key)
    if (others !== undefined) {
      others.push(callback)
      return
    }
    const asking = [callback]
    waiting.set(key, asking)
    question(hostname, options, (error, address, family) => {
      waiting.delete(key)
      for (const answer of asking) answer(error, copyOf(address), family)
    })
  }
}

/** Each asker gets an array of its own: `net` may reorder it. With an error there is no address at all. */
function copyOf <T> (address: T | LookupAddress[]): T | LookupAddress[] {
  return Array.isArray(address) ? [...address] : address
}
