/** Each promise, broken on paper: the ledger says so, and says nothing of a run that kept them all. */
import t from '../support/tap.js'
import { judge, type Evidence, type Received, type Recorded, type Sent } from '../../chaos/ledger.js'

const BODIES = ['{"taskId":"t","status":1,"n":0}', '{"n":0, "taskId":"t", "status":1}']

function sentOf (more: Partial<Sent> = {}): Sent {
  return { n: 0, taskId: 't', status: 1, type: 'video', bodies: BODIES, firstSentAt: 1_000, acknowledgedAt: 1_010, answers: ['none', 'accepted', 'duplicate'], eventIds: ['evt_a', 'evt_a'], ...more }
}

function receivedOf (more: Partial<Received> = {}): Received {
  return { subscriber: 'steady', eventId: 'evt_a', attempt: 'first 1', n: 0, body: BODIES[0]!, receivedAt: '2026-01-01T00:00:00.000Z', revision: 1, at: 1_020, answeredAt: null, isTaken: true, isReplay: false, ...more }
}

function recordedOf (more: Partial<Recorded> = {}): Recorded {
  return { id: 'evt_a', taskId: 't', status: 1, revision: 1, deliveries: [{ subscriber: 'steady', state: 'delivered' }], ...more }
}

function evidenceOf (more: Partial<Evidence> = {}): Evidence {
  return {
    sent: [sentOf()],
    received: [receivedOf({ isTaken: false }), receivedOf(), receivedOf({ subscriber: 'flaky' })],
    recorded: [recordedOf()],
    spells: [],
    deletedEarly: { events: 0, failed: 0 },
    mayForget: false,
    noticed: [],
    ...more
  }
}

t.test('a run that kept every promise has none broken, and its counts', async t => {
  t.strictSame(judge(evidenceOf()), {
    broken: [],
    counts: { notifications: 1, acknowledged: 1, spooled: 0, duplicates: 1, events: 1, deliveries: 2, twice: 0, again: 0, overtaken: 0, deletedEarly: 0, forgotten: 0 }
  })
})

const other = { ...recordedOf(), id: 'evt_b' }
/** An attempt that was answered, and made again. */
const AGAIN = [receivedOf({ answeredAt: 1_030 }), receivedOf({ at: 1_040 })]
const BROKEN: ReadonlyArray<[says: string, evidence: Partial<Evidence>, sentence: RegExp]> = [
  ['acknowledged and lost at one subscriber', { received: [receivedOf()] }, /^acknowledged and lost: notification 0 \(none, accepted, duplicate\) never arrived at flaky$/],
  ['sent to a subscriber, and never taken', { received: [receivedOf(), receivedOf({ subscriber: 'flaky', isTaken: false })] }, /^acknowledged and lost/],
  ['of a type that a third one wants', { sent: [sentOf({ type: 'image.upscale' })] }, /never arrived at images$/],
  ['a duplicate that is told another event', { sent: [sentOf({ eventIds: ['evt_a', 'evt_b'] })], recorded: [recordedOf(), { ...other, revision: 2 }], received: [...evidenceOf().received, receivedOf({ eventId: 'evt_b' })] }, /^notification 0 became 2 events: evt_a, evt_b$/],
  ['a duplicate that is delivered as another event', { received: [...evidenceOf().received, receivedOf({ eventId: 'evt_b' })], recorded: [recordedOf(), { ...other, revision: 2 }] }, /^notification 0 became 2 events/],
  ['other bytes', { received: [...evidenceOf().received, receivedOf({ body: `${BODIES[0]!} ` })] }, /^steady was sent a body that nobody had sent \(evt_a\)$/],
  ['a body of no notification', { received: [...evidenceOf().received, receivedOf({ n: null, body: 'x', isTaken: false })] }, /^steady was sent a body that nobody had sent/],
  ['a delivery that is open', { recorded: [recordedOf({ deliveries: [{ subscriber: 'flaky', state: 'retrying' }] })] }, /^stuck: evt_a to flaky is retrying/],
  ['a delivery that failed and was not replayed', { recorded: [recordedOf({ deliveries: [{ subscriber: 'flaky', state: 'failed' }] })] }, /^stuck: evt_a to flaky is failed/],
  ['a revision that is missing', { recorded: [recordedOf({ revision: 2 })] }, /^t, status 1 has the revisions 2$/],
  ['a revision twice', { recorded: [recordedOf(), other], received: [...evidenceOf().received, receivedOf({ eventId: 'evt_b', n: 1, body: 'other' })], sent: [sentOf(), sentOf({ n: 1, bodies: ['other'], eventIds: ['evt_b'], acknowledgedAt: null })] }, /^t, status 1 has the revisions 1, 1$/],
  ['an event that was named and is not there', { recorded: [] }, /^evt_a \(notification 0\) was told or sent, and is on no record$/],
  ['an event that nobody was sent', { recorded: [recordedOf(), { ...other, taskId: 'u' }] }, /^evt_b \(u\) is on record, and nobody was sent it$/],
  ['an answer that blames the sender', { sent: [sentOf({ answers: ['400', 'accepted'] })] }, /^notification 0 was answered 400$/],
  ['an attempt that is made again although it was answered', { received: [...evidenceOf().received, receivedOf({ answeredAt: 1_030 }), receivedOf({ at: 1_040 })] }, /^answered and asked for again: evt_a was sent to steady 10 ms after its answer to the same attempt \(first 1; faults meanwhile: none\)$/],
  ['the same while a fault is there that allows nothing', { received: [...evidenceOf().received, ...AGAIN], spells: [{ kind: 'redis.full', from: 900, to: 2_000 }] }, /^answered and asked for again: .*faults meanwhile: redis.full\)$/],
  ['the same after a fault that was over', { received: [...evidenceOf().received, ...AGAIN], spells: [{ kind: 'gateway.kill', from: 900, to: 1_019 }] }, /^answered and asked for again/],
  ['what the stage noticed', { noticed: ['gateway all ended by itself with 1'] }, /^gateway all ended by itself with 1$/]
]
for (const [says, evidence, sentence] of BROKEN) {
  t.test(`it notices ${says}`, async t => { t.ok(judge(evidenceOf(evidence)).broken.some(broken => sentence.test(broken)), JSON.stringify(judge(evidenceOf(evidence)).broken)) })
}

t.test('what nobody acknowledged may be lost', async t => {
  t.strictSame(judge(evidenceOf({ sent: [sentOf({ acknowledgedAt: null, answers: ['503', 'none'], eventIds: [] })], received: [], recorded: [] })).broken, [])
})

t.test('what a full Redis has cost is allowed as far as the gateway owns up to it', async t => {
  const gone = { received: [receivedOf()], recorded: [] }
  t.strictSame(judge(evidenceOf({ ...gone, deletedEarly: { events: 1, failed: 1 } })).broken, [])
  t.match(judge(evidenceOf({ ...gone, deletedEarly: { events: 1, failed: 0 } })).broken, [/^acknowledged and lost: .* never arrived at flaky$/])
  t.match(judge(evidenceOf({ ...gone, deletedEarly: { events: 0, failed: 1 } })).broken, [/is on no record$/])
  t.match(judge(evidenceOf({ received: [receivedOf({ subscriber: 'flaky' })], recorded: [], deletedEarly: { events: 9, failed: 9 } })).broken, [/never arrived at steady$/])
})

t.test('taken twice and overtaken are allowed, and counted', async t => {
  const later = { n: 1, eventId: 'evt_b', body: '{"taskId":"t","status":2,"n":1}', receivedAt: '2026-01-01T00:00:01.000Z' }
  const { broken, counts } = judge(evidenceOf({
    sent: [sentOf(), sentOf({ n: 1, status: 2, bodies: [later.body], eventIds: ['evt_b'] })],
    received: [
      receivedOf({ ...later, at: 1_000 }), receivedOf({ at: 1_001 }), receivedOf({ at: 1_002 }), receivedOf({ at: 1_003, isReplay: true }),
      receivedOf({ subscriber: 'flaky' }), receivedOf({ ...later, subscriber: 'flaky', at: 2_000 })
    ],
    recorded: [recordedOf(), { ...other, status: 2 }]
  }))
  t.strictSame(broken, [])
  t.match(counts, { twice: 1, overtaken: 3 })
})

const MAY_BE_AGAIN: ReadonlyArray<[says: string, evidence: Partial<Evidence>, again: number]> = [
  ['while its gateway is killed', { received: [...evidenceOf().received, ...AGAIN], spells: [{ kind: 'gateway.kill', from: 1_035, to: 2_000 }] }, 1],
  ['while Redis is away, and nobody can prolong a lock', { received: [...evidenceOf().received, ...AGAIN], spells: [{ kind: 'redis.freeze', from: 900, to: 1_025 }] }, 1],
  ['when its answer was cut off', { received: [...evidenceOf().received, receivedOf({ answeredAt: null }), receivedOf({ at: 1_040 })] }, 0],
  ['when both were under way at once', { received: [...evidenceOf().received, receivedOf({ answeredAt: 1_050 }), receivedOf({ at: 1_040 })] }, 0],
  ['as the next attempt', { received: [...evidenceOf().received, receivedOf({ answeredAt: 1_030 }), receivedOf({ at: 1_040, attempt: 'first 2' })] }, 0]
]
for (const [says, evidence, again] of MAY_BE_AGAIN) {
  t.test(`an attempt may be made again ${says}`, async t => {
    t.match(judge(evidenceOf(evidence)), { broken: [], counts: { again } })
  })
}

const GHOST = [...evidenceOf().received, receivedOf({ eventId: 'evt_ghost' })]
t.test('an event that a failover forgot is counted, when nobody was told of it and its notification came again', async t => {
  t.match(judge(evidenceOf({ mayForget: true, received: GHOST })), { broken: [], counts: { forgotten: 1 } })
})

const UNFORGIVEN: ReadonlyArray<[says: string, evidence: Partial<Evidence>]> = [
  ['without a failover', { received: GHOST }],
  ['when a sender was told of it', { mayForget: true, received: GHOST, sent: [sentOf({ eventIds: ['evt_a', 'evt_ghost'] })] }],
  ['when its notification is no other event', { mayForget: true, received: [receivedOf({ eventId: 'evt_ghost' })], recorded: [] }]
]
for (const [says, evidence] of UNFORGIVEN) {
  t.test(`it notices an event that is forgotten ${says}`, async t => { t.not(judge(evidenceOf(evidence)).broken.length, 0) })
}
