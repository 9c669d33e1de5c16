/** Whom a reload has taken away is told for an hour, and one that returns is told what it missed. */
import t from '../support/tap.js'
import type { Fact } from '../../src/model/fact.js'
import { createRemovedSubscribers } from '../../src/conditions/removed-subscribers.js'
import { configOf } from '../config/config-of.js'

const named = async (...names: string[]): ReturnType<typeof configOf> => await configOf(`subscribers: [${names.map(name => `{ name: ${name}, url: "http://a/" }`).join()}]`)
const HOUR_MS = 3_600_000

t.test('one that is gone is told for an hour, unless it was said that it may go', async t => {
  let now = 1_000
  const { see, recent } = createRemovedSubscribers(() => {}, () => now)
  see(await named('a', 'b', 'c'), await named('a', 'b'), false)
  see(await named('a', 'b'), await named('a'), true)
  t.strictSame(recent(), [{ subscriber: 'c', at: 1_000 }])
  now += HOUR_MS
  t.strictSame(recent(), [])
})

t.test('one that returns is told what it missed, once, whether it was meant or not', async t => {
  const facts: Fact[] = []
  const { see, recent } = createRemovedSubscribers(fact => { facts.push(fact) }, () => 0)
  for (const isMeant of [false, true]) {
    see(await named('a', 'b'), await named('a'), isMeant)
    see(await named('a'), await named('a', 'b'), false)
    see(await named('a', 'b'), await named('a', 'b'), false)
    t.strictSame(recent(), [])
  }
  const told = { fact: 'subscriber.returned', subscriber: 'b', removedAt: 0, advice: 'fotor-relay replay --subscriber b --state missing --since 1970-01-01T00:00:00.000Z' }
  t.strictSame(facts, [told, told])
})
