/** A failing seed fails again: what is done to the gateway follows from the seed alone. */
import t from '../support/tap.js'
import { readOptions } from '../../chaos/options.js'
import { FAULTS, planOf, victimOf, type Plan } from '../../chaos/plan.js'
import { recoveriesOf, tooSlow } from '../../chaos/recovery.js'

t.test('the same seed gives the same plan, another one another', async t => {
  // As text: two that differ much take a differ long.
  const [one, again, other] = ['7', '7', '8'].map(seed => planOf(seed, 20)) as [Plan, Plan, Plan]
  t.ok(JSON.stringify(one) === JSON.stringify(again))
  t.not(JSON.stringify(one.faults), JSON.stringify(other.faults))
  t.ok(JSON.stringify(one.tasks) !== JSON.stringify(other.tasks))
})

t.test('over some seeds, every kind of fault comes, none outlasts its run, and none meets a victim that has one already', async t => {
  const plans: Plan[] = Array.from({ length: 40 }, (_, seed) => planOf(String(seed), 20))
  const kinds = new Set(plans.flatMap(({ faults }) => faults.map(({ kind }) => kind)))
  t.strictSame([...kinds].sort(), Object.keys(FAULTS).sort())
  for (const { faults } of plans) {
    t.ok(faults.every(({ atMs, forMs }) => atMs >= 0 && forMs > 0 && atMs + forMs <= 20_000))
    const crowded = faults.filter((one, at) => faults.slice(0, at).some(other =>
      victimOf(other) === victimOf(one) && other.atMs + other.forMs >= one.atMs))
    t.strictSame(crowded, [])
  }
})

t.test('each notification has a number of its own, in every way of writing it', async t => {
  const { tasks, last } = planOf('1', 20)
  const all = [...tasks, last].flatMap(({ notifications }) => notifications)
  t.equal(new Set(all.map(({ n }) => n)).size, all.length)
  const odd = all.filter(({ n, taskId, status, bodies }) => new Set(bodies).size !== bodies.length ||
    bodies.map(body => JSON.parse(body) as typeof all[number]).some(found => found.n !== n || found.taskId !== taskId || found.status !== status))
  t.strictSame(odd, [])
})

t.test('faults that overlap are one, and it is well again with the first callback that was sent after it and arrived', async t => {
  const sent = [[90, 91], [210, 230], [220, 225], [510, null]].map(([firstSentAt, acknowledgedAt], n) =>
    ({ n, taskId: 't', status: 1, type: 'x', bodies: [], firstSentAt: firstSentAt!, acknowledgedAt: acknowledgedAt!, answers: [], eventIds: [] }))
  const received = [[0, 95], [1, 260], [2, 270]].map(([n, at]) =>
    ({ subscriber: 'steady' as const, eventId: '', n: n!, body: '', receivedAt: '', revision: 1, at: at!, isTaken: true, isReplay: false }))
  const spells = [{ kind: 'a', from: 100, to: 150 }, { kind: 'b', from: 140, to: 200 }, { kind: 'c', from: 400, to: 500 }]
  t.strictSame(recoveriesOf(spells, { sent, received }), [{ kinds: ['a', 'b'], ms: 60 }, { kinds: ['c'], ms: null }])
})

const USAGE_FAULTS: ReadonlyArray<[args: string[], says: RegExp]> = [
  [['--seconds', '2'], /--seconds takes a whole number from 3/],
  [['--seconds', 'x'], /--seconds takes/],
  [['--seed', '../x'], /--seed takes/],
  [['--seed', '1', '--seeds', '1..2'], /not both/],
  [['--seeds', '5..1'], /--seeds takes a range/],
  [['--seeds', '1..20000'], /--seeds takes a range/],
  [['--results', 'x'], /--results goes with --seeds/],
  [['--nonsense'], /nonsense/]
]
for (const [args, says] of USAGE_FAULTS) {
  t.test(`${args.join(' ')} is refused`, async t => { t.throws(() => readOptions(args), { message: says }) })
}

t.test('a range of seeds is every seed of it', async t => {
  t.strictSame(readOptions(['--seeds', '9..11', '--seconds', '5']), {
    seeds: ['9', '10', '11'], seconds: 5, results: 'data/chaos/5s.ndjson', isTimed: false, isMarkdown: false, isQuiet: false, help: false
  })
})

t.test('a slow recovery breaks a promise when it is asked for', async t => {
  t.match(readOptions(['--timed']), { isTimed: true })
})

t.test('a recovery of more than ten seconds is too slow', async t => {
  t.strictSame(tooSlow([{ kinds: ['a'], ms: 10_000 }, { kinds: ['b'], ms: null }]), [])
  t.strictSame(tooSlow([{ kinds: ['a', 'b'], ms: 10_001 }]), ['well again only 10001 ms after a, b'])
})
