/** When each condition is true, whom it is about, and what it says. */
import t from '../support/tap.js'
import type { State } from '../../src/conditions/condition.js'
import { CONDITIONS, conditionsOf, isReason } from '../../src/conditions/list.js'
import { CONDITION_NAMES, type ConditionName } from '../../src/model/alert.js'
import type { SubscriberStatus } from '../../src/record/read-subscribers.js'
import { STATE, SUBSCRIBER } from './state.js'

const spool = (more: Partial<NonNullable<State['spool']>>): Pick<State, 'spool'> => ({ spool: { ...STATE.spool!, ...more } })
const of = (more: Partial<SubscriberStatus>, open = 0, failed = 0): Pick<State, 'subscribers'> =>
  ({ subscribers: [{ ...SUBSCRIBER, ...more, counts: { ...SUBSCRIBER.counts, open, failed } }] })

const TABLE: ReadonlyArray<[says: string, state: Partial<State>, names: ConditionName[], summary?: RegExp]> = [
  ['all is well', {}, []],
  ['Redis is away and the spool takes callbacks', { redisProblem: 'OOM' }, ['redis-away'], /^Redis accepts no writes \(OOM\): callbacks are stored in the spool$/],
  ['Redis is away and there is no spool', { redisProblem: '', spool: null }, ['callbacks-refused'], /^Redis accepts no writes$/],
  ['Redis is away and the spool is broken: said once', { redisProblem: 'OOM', ...spool({ problem: 'it is full' }) }, ['callbacks-refused'], /, and the spool accepts no callbacks \(it is full\)$/],
  ['the spool is broken', spool({ problem: 'EACCES' }), ['spool-broken'], /^the spool accepts no callbacks \(EACCES\)/],
  ['a callback waits in the spool', spool({ callbacks: 1, bytes: 1, oldestAt: STATE.now - 7_000 }), ['spool-waiting'], /^1 callback waits in the spool \(1kb\), the oldest for 7 s$/],
  ['the spool is filling', spool({ bytes: 810_000 }), ['spool-filling'], /^the spool is 81 % full/],
  ['four fifths of the spool are not yet filling', spool({ bytes: 800_000 }), []],
  ['files are set aside', spool({ setAside: 2 }), ['spool-set-aside'], /2 files aside/],
  ['the clocks differ', { skewMs: -63_000 }, ['clock-skewed'], /63 s ahead of Redis/],
  ['nobody attempts what is due', { stalled: ['billing'], subscribers: [{ ...SUBSCRIBER, overdue: true, counts: { ...SUBSCRIBER.counts, open: 3 } }] }, ['deliveries-stalled'], /billing has deliveries that are due.*3 waiting/],
  ['connections are lost', { lostConnections: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] }, ['queue-cut-off'], /\(a, b, c, d, e and 2 more\)/],
  ['memory is short', { memory: { usedBytes: 81, maxBytes: 100 } }, ['memory-short'], /^Redis has used 81 %/],
  ['claims were given up', { claims: { claims: 5, mostClaims: 5, forgottenBefore: STATE.now - 1_000 } }, ['claims-given-up'], /^a repeat of a callback from before 2023-11-14T22:13:19\.000Z is no longer recognised/],
  ['memory is not known', { memory: null }, []],
  ['a subscriber is gone', of({ holds: ['gone'] }, 3), ['subscriber-gone'], /^subscriber billing answered 410 and is on hold, 3 waiting$/],
  ['a subscriber that is gone and paused is gone', of({ holds: ['gone', 'pause'] }, 3), ['subscriber-gone']],
  ['a pause that holds something', of({ holds: ['pause'] }, 1), ['subscriber-on-hold'], /^subscriber billing is on hold \(pause\), 1 waiting$/],
  ['a pause that holds nothing', of({ holds: ['pause'] }), []],
  ['a pause beside a breaker', of({ holds: ['pause', 'breaker'] }, 1), ['subscriber-on-hold'], /\(pause, breaker\)/],
  ['a breaker that holds something', of({ holds: ['breaker'] }, 2), ['subscriber-failing'], /^subscriber billing is on hold \(breaker\), 2 waiting$/],
  ['a breaker that holds nothing', of({ holds: ['breaker'] }), []],
  ['a last answer that was no success', of({ failing: true }, 1), ['subscriber-failing'], /^subscriber billing is failing, 1 waiting$/],
  ['a delivery was given up', of({}, 0, 1), ['deliveries-failed'], /^1 delivery to subscriber billing failed permanently: replay or discard it$/],
  ['deliveries could not be read', of({ corrupt: 2 }, 0), ['deliveries-corrupt'], /^2 deliveries to subscriber billing could not be read in Redis and failed: replay or discard them/],
  ['a reload was refused', { refusedFaults: 2 }, ['reload-refused'], /\(2 faults\)/],
  ['replicas differ', { replicasTrouble: 'they differ' }, ['replicas-differ'], /^they differ$/],
  ['callbacks were denied', { refusals: { 'callbacks-denied': 1 } }, ['callbacks-denied'], /^a callback came from/],
  ['callbacks were misdirected, in one way', { misdirected: [{ reason: 'path', hint: 'slashes', count: 1 }] }, ['callbacks-misdirected'], /^a request from listed addresses was refused and may have been a callback: 1 asked for another path than ingest\.path \(a slash too many or too few: /],
  ['callbacks were misdirected, in several', { misdirected: [{ reason: 'rate', hint: null, count: 2 }, { reason: 'not-http', hint: 'tls', count: 3 }] }, ['callbacks-misdirected'], /^each of 5 requests from .*: 3 was no complete HTTP request \(TLS: .*\); 2 came faster than ingest\.rateLimit allows$/],
  ['tokens are guessed', { guesses: 25 }, ['tokens-guessed'], /^25 wrong tokens came to the admin API/],
  ['callbacks could not be read', { refusals: { 'callbacks-unreadable': 3 } }, ['callbacks-unreadable'], /^each of 3 callbacks/],
  ['callbacks were too large', { refusals: { 'callbacks-too-large': 1 } }, ['callbacks-too-large']],
  ['while the record cannot be read nothing is known of subscribers', { redisProblem: '', subscribers: null }, ['redis-away']],
  ['several at once: the most urgent first', { ...of({ holds: ['gone'] }, 1), redisProblem: 'OOM', refusedFaults: 1 }, ['redis-away', 'subscriber-gone', 'reload-refused']]
]
for (const [says, state, names, summary = /./] of TABLE) {
  t.test(`${says}: ${names.join(', ') || 'nothing to say'}`, async t => {
    const conditions = conditionsOf({ ...STATE, ...state })
    t.strictSame(conditions.map(({ name }) => name), names)
    if (names.length === 1) t.match(conditions[0]!.summary, summary)
    for (const { name, subscriber } of conditions) t.equal(subscriber, /^(subscriber|deliveries)-/.test(name) ? 'billing' : null, name)
  })
}

t.test('every name of the contract is in the list, once', async t => {
  t.strictSame(CONDITIONS.map(({ name }) => name).sort(), [...CONDITION_NAMES].sort())
})

t.test('what lies in the quarantine or among the failed is for alerts, and no reason of /readyz', async t => {
  const silent = conditionsOf({
    ...STATE, ...of({}, 0, 1), refusals: { 'callbacks-denied': 1, 'callbacks-unreadable': 1, 'callbacks-too-large': 1 }, misdirected: [{ reason: 'path', hint: null, count: 1 }]
  })
  t.equal(silent.length, 5)
  t.strictSame(silent.filter(isReason), [])
})
