/**
 * The filters that every order on many deliveries must have, with names that exist.
 * A typing error must never mean "all".
 */
import { invalid } from './check-input.js'
import { didYouMean } from './did-you-mean.js'

/**
 * @param filters  as written, without other fields
 * @throws         RelayError INVALID_REQUEST if there is none and `all` was not set
 */
export function requireFilter (filters: object, all: boolean): void {
  if (all || Object.keys(filters).length > 0) return
  throw invalid([{ name: 'all', problem: 'Give at least one filter, or all: true if every delivery is meant.' }])
}

/**
 * @param names  of subscribers, as written
 * @throws       RelayError INVALID_REQUEST naming each unknown one, and the known ones
 */
export function requireKnown (names: readonly string[] | undefined, known: readonly string[]): void {
  const unknown = (names ?? []).filter(name => !known.includes(name))
  if (unknown.length === 0) return
  const those = known.length === 0 ? 'There is none at all.' : `There are ${[...new Set(known)].sort().join(', ')}.`
  throw invalid(unknown.map(name => ({
    name: 'subscriber',
    problem: `There is no subscriber ${JSON.stringify(name.slice(0, 64))}.${didYouMean(name, known)} ${those}`
  })))
}
