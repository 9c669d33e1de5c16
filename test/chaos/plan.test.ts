/** A failing seed fails again: what is done to the gateway follows from the seed alone. */
import t from '../support/tap.js'
import { readOptions } from '../../chaos/options.js'
import { FAULTS, planOf, victimOf, type Plan } from '../../chaos/plan.js'
import { recoveriesOf, tooSlow, type Spell } from '../../chaos/recovery.js'

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

t.test('some runs keep their one Redis full, and some have clocks that are minutes apart', async t => {
  const plans: Plan[] = Array.from({ length: 40 }, (_, seed) => planOf(String(seed), 5))
  const [full, apart] = [plans.filter(({ isFull }) => isFull), plans.filter(({ clocksMs }) => clocksMs.some(ms => ms !== 0))]
  for (const some of [full, apart]) t.ok(some.length > 0 && some.length < plans.length / 2, `${some.length} of ${plans.length}`)
  t.ok(full.every(({ servers }) => servers === 'redis'))
  t.ok(apart.every(({ clocksMs }) => Math.max(...clocksMs) - Math.min(...clocksMs) >= 4 * 60_000))
})

t.test('a Redis that is kept full has room between two faults; any seed can have it so', async t => {
  const { servers, isFull, faults, tasks } = planOf('7', 60, { isFull: true })
  t.strictSame({ servers, isFull }, { servers: 'redis', isFull: true })
  t.strictSame(tasks, planOf('7', 60).tasks)
  t.ok(faults.length > 5)
  t.ok(faults.every(({ kind, atMs }, at) => kind !== 'redis.full' && (at === 0 || faults[at - 1]!.atMs + faults[at - 1]!.forMs < atMs)))
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
    ({ subscriber: 'steady' as const, eventId: '', attempt: '', n: n!, body: '', receivedAt: '', revision: 1, at: at!, answeredAt: null, isTaken: true, isReplay: false }))
  const spells: Spell[] = [{ kind: 'gateway.kill', from: 100, to: 150 }, { kind: 'redis.kill', from: 140, to: 200 }, { kind: 'redis.full', from: 400, to: 500 }]
  t.strictSame(recoveriesOf(spells, { sent, received }), [{ kinds: ['gateway.kill', 'redis.kill'], ms: 60 }, { kinds: ['redis.full'], ms: null }])
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
    seeds: ['9', '10', '11'], seconds: 5, isFull: false, results: 'data/chaos/5s.ndjson', isTimed: false, isMarkdown: false, isQuiet: false, help: false
  })
})

t.test('runs with a full Redis are kept apart from the others', async t => {
  t.match(readOptions(['--seeds', '1..2', '--full']), { isFull: true, results: 'data/chaos/20s-full.ndjson' })
})

t.test('a slow recovery breaks a promise when it is asked for', async t => {
  t.match(readOptions(['--timed']), { isTimed: true })
})

t.test('a recovery of more than ten seconds is too slow', async t => {
  t.strictSame(tooSlow([{ kinds: ['a'], ms: 10_000 }, { kinds: ['b'], ms: null }]), [])
  t.strictSame(tooSlow([{ kinds: ['a', 'b'], ms: 10_001 }]), ['well again only 10001 ms after a, b'])
})
