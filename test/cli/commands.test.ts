import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from '../support/tap.js'
import { widthOf } from '../../src/cli/plain-text.js'
import { folder, run } from './at-the-terminal.js'
import type { AdminApi } from '../../src/cli/admin-api.js'
import { NoAnswer } from '../../src/cli/exchange.js'
import type { CommandFailure } from '../../src/cli/failure.js'
import { placeOrder } from '../../src/cli/place-order.js'
import { problem, standIn } from './stand-in-gateway.js'

const ID = 'evt_01JQ4Z8XK3V7M2N9P5R6S8T0WA'
const OTHER = 'evt_01JQ4Z8XK3V7M2N9P5R6S8T0WB'

const delivery = (subscriber: string, state: string, rest: object = {}) => ({
  subscriber, state, heldBy: null, attempts: 1, nextAttemptAt: null, lastStatusCode: null, lastError: null, deliveredAt: null, ...rest
})
const event = (id: string, rest: object = {}) => ({
  id,
  taskId: '39371b3800cc4a7e9e24867b0dfdf25b',
  status: 1,
  type: 'avatar',
  businessId: 'b1',
  receivedAt: '2026-03-01T12:00:00.123Z',
  revision: 1,
  flags: [],
  duplicates: 0,
  size: 90,
  deliveries: [delivery('billing', 'delivered', { deliveredAt: '2026-03-01T12:00:01.000Z', lastStatusCode: 200 }), delivery('media', 'failed', { lastStatusCode: 500, lastError: 'answered 500' })],
  ...rest
})
const replay = (rest: object) => ({
  id: 'rpl_1', kind: 'replay', state: 'running', matched: 3, queued: 0, delivered: 0, failed: 0, createdAt: '2026-03-01T12:00:00Z', finishedAt: null, ...rest
})

t.test('events: flags are the filters of the API, passed on as they were written', async t => {
  const gateway = await standIn(t, { 'GET /api/v1/events': { body: { items: [event(ID)], nextCursor: 'next' } } })
  const flags = '--task-id a,b --type image* --status -1 --business-id b1 --subscriber billing --state failed,held --flag late --since 2h --until 2026-03-01T12:00:00Z --limit 7 --cursor c'
  const { code, out, err } = await run(['events', ...flags.split(' '), ...gateway.flags], gateway)
  t.equal(code, 0)
  const query = new URLSearchParams(gateway.asked[0]!.line.split('?')[1])
  t.strictSame(Object.fromEntries(query), {
    taskId: 'a,b',
    type: 'image*',
    status: '-1',
    businessId: 'b1',
    subscriber: 'billing',
    state: 'failed,held',
    flag: 'late',
    since: '2h',
    until: '2026-03-01T12:00:00Z',
    limit: '7',
    cursor: 'c'
  })
  t.match(out, new RegExp(`2026-03-01T12:00:00Z  ${ID}  39371b3800cc4a7e9e24867b0dfdf25b  avatar +1  1 failed, 1 delivered\n`))
  t.match(err, /--cursor next/)
})

t.test('events: the table fits a terminal of eighty columns, and ids are whole', async t => {
  const gateway = await standIn(t, { 'GET /api/v1/events': { body: { items: [event(ID), event(OTHER, { flags: ['late', 'conflict'] })], nextCursor: null } } })
  const { out } = await run(['events', ...gateway.flags], { ...gateway, env: { ...gateway.env, NO_COLOR: '1' }, columns: 80 })
  t.match(out, ID)
  t.match(out, OTHER)
  for (const line of out.split('\n')) t.ok(widthOf(line) <= 80, line)
})

t.test('events: --json is the API\'s document and nothing else is on standard output', async t => {
  const page = { items: [event(ID)], nextCursor: 'more', more: 'kept' }
  const gateway = await standIn(t, { 'GET /api/v1/events': { body: page } })
  const { out } = await run(['events', '--json', ...gateway.flags], gateway)
  t.strictSame(JSON.parse(out), page)
})

t.test('events: when none fits, standard output is empty', async t => {
  const gateway = await standIn(t, { 'GET /api/v1/events': { body: { items: [], nextCursor: null } } })
  t.match(await run(['events', ...gateway.flags], gateway), { code: 0, out: '', err: /No event fits/ })
})

const ALERT = {
  name: 'spool-waiting', severity: 'warning', subscriber: null, summary: '3 callbacks wait in the spool \u001b[31m', figures: {}, of: 'replica', since: '2026-03-01T12:00:00.000Z', toldTo: ['on-call']
}

t.test('alerts: what it is, since when, and who knows', async t => {
  const gateway = await standIn(t, { 'GET /api/v1/alerts': { body: { items: [ALERT, { ...ALERT, name: 'redis-away', severity: 'critical', toldTo: [] }], nextCursor: null } } })
  const { code, out } = await run(['alerts', ...gateway.flags], { ...gateway, env: { ...gateway.env, NO_COLOR: '1' }, columns: 120 })
  t.equal(code, 0)
  t.match(out, /warning +spool-waiting +3 callbacks wait in the spool.* on-call\n/)
  t.match(out, /critical +redis-away .* nobody yet/)
  t.notMatch(out, /\u001b/, 'a summary writes no colours of its own')
  t.strictSame(JSON.parse((await run(['alerts', '--json', ...gateway.flags], gateway)).out), { items: [ALERT, { ...ALERT, name: 'redis-away', severity: 'critical', toldTo: [] }], nextCursor: null })
})

t.test('alerts: none is said on standard error', async t => {
  const gateway = await standIn(t, { 'GET /api/v1/alerts': { body: { items: [], nextCursor: null } } })
  t.match(await run(['alerts', ...gateway.flags], gateway), { code: 0, out: '', err: /Nothing needs an operator/ })
})

t.test('alerts --test: each receiver is heard, and one that took none ends it with 1', async t => {
  const taken = { receiver: 'chat', statusCode: 204, error: null }
  const items: object[] = [taken]
  const gateway = await standIn(t, { 'POST /api/v1/alerts/test': () => ({ body: { items, nextCursor: null } }) })
  const plain = { ...gateway, env: { ...gateway.env, NO_COLOR: '1' } }
  t.match(await run(['alerts', '--test', ...gateway.flags], plain), { code: 0, out: /chat +took it \(204\)/ })
  items.push({ receiver: 'on-call', statusCode: 401, error: 'answered 401' })
  t.match(await run(['alerts', '--test', ...gateway.flags], plain), { code: 1, out: /on-call +answered 401/, err: /on-call did not accept the test[^]*alerts\.receivers/ })
  t.match(JSON.parse((await run(['alerts', '--test', '--json', ...gateway.flags], gateway)).out), { items: [taken, Object] })
})

const DETAIL = {
  ...event(ID, { flags: ['late'], revision: 2, duplicates: 3 }),
  attempts: [{
    subscriber: 'media', number: 1, at: '2026-03-01T12:00:02.000Z', statusCode: 500, error: 'answered 500', latencyMs: 12.4, responseExcerpt: 'oh \u001b[31mno', replayId: null
  }]
}

t.test('show: an event with its deliveries and attempts, and no control character of anybody else\'s', async t => {
  const gateway = await standIn(t, { [`GET /api/v1/events/${ID}`]: { body: DETAIL } })
  const { code, out } = await run(['show', ID, ...gateway.flags], gateway)
  t.equal(code, 0)
  for (const says of [/revision +2/, /flags +late/, /duplicates +3/, /billing +delivered/, /media +failed.*answered 500/, /12 ms +answered 500 +oh ·\[31mno/]) t.match(out, says)
})

t.test('show: a comma or a backslash is a part of the id', async t => {
  const gateway = await standIn(t, { 'GET /api/v1/events': { body: { items: [], nextCursor: null } } })
  await run(['show', 'a,b\\c', ...gateway.flags], gateway)
  t.equal(new URLSearchParams(gateway.asked[0]!.line.split('?')[1]).get('taskId'), 'a\\,b\\\\c')
})

t.test('show: the only event of a task is shown at once, several are listed', async t => {
  const one = await standIn(t, { 'GET /api/v1/events': { body: { items: [event(ID)], nextCursor: null } }, [`GET /api/v1/events/${ID}`]: { body: DETAIL } })
  t.match(await run(['show', 'a task/1', ...one.flags], one), { code: 0, out: /revision +2/ })
  t.equal(one.asked[0]?.line, 'GET /api/v1/events?taskId=a+task%2F1')

  const two = await standIn(t, { 'GET /api/v1/events': { body: { items: [event(OTHER), event(ID)], nextCursor: null } } })
  t.match(await run(['show', 'task', ...two.flags], two), { code: 0, out: /2 events of this task/ })

  const none = await standIn(t, { 'GET /api/v1/events': { body: { items: [], nextCursor: null } } })
  t.match(await run(['show', 'task', ...none.flags], none), { code: 1, out: '', err: /there is no event of a task task/ })
})

t.test('show: of a task with thousands of events it lists a page, and says how many more there are and how to list them', async t => {
  const many = await standIn(t, { 'GET /api/v1/events': { body: { items: [event(OTHER), event(ID)], nextCursor: 'abc', total: 3_002 } } })
  const { code, out, err } = await run(['show', 'a task', ...many.flags], many)
  t.equal(code, 0)
  t.match(out, /^3002 events of this task/)
  t.equal(err, `3000 more are older; list them with: fotor-relay events --task-id 'a task' --cursor abc --url ${many.url}\n`)
  t.strictSame(many.asked.map(({ line }) => line), ['GET /api/v1/events?taskId=a+task'], 'it asks for one page')

  const short = await standIn(t, { 'GET /api/v1/events': { body: { items: [event(ID)], nextCursor: 'abc' } } })
  t.match(await run(['show', 'task', ...short.flags], short), { code: 0, err: /^There are older ones; list them with: .* --cursor abc/ }, 'a short page is not all there is')
})

const SUBSCRIBER = {
  name: 'billing', url: 'http://b/', enabled: true, pausedBy: 'operator', breaker: 'closed', heldBy: 'pause', counts: { open: 4, held: 1, failed: 2, delivered: 9 }, oldestWaitingAt: '2026-03-01T12:00:00Z', lastSuccessAt: null, lastError: 'refused'
}
const STATS = {
  counters: { accepted: 12, duplicates: 3, delivered: 9, failed: 2 }, events: 12, process: { version: '1.2.3', uptimeSeconds: 7200, pid: 42, redis: 'managed', configFile: '/etc/relay.yaml' }
}
const WELL = {
  'GET /readyz': { status: 503, body: { status: 'unavailable', reasons: ['Redis does not answer'] } },
  'GET /api/v1/stats': { body: STATS },
  'GET /api/v1/subscribers': { body: { items: [SUBSCRIBER], nextCursor: null } }
}

t.test('status: readiness with its reasons, the numbers, and what waits for whom', async t => {
  const gateway = await standIn(t, WELL)
  const { code, out } = await run(['status', ...gateway.flags], gateway)
  t.equal(code, 0)
  for (const says of [/not ready/, /! Redis does not answer/, /up 2h, pid 42/, /12 accepted, 3 duplicates, 9 delivered, 2 failed/, /billing +held: pause +4 +1 +2 +9/]) t.match(out, says)
  t.equal(gateway.asked.find(({ line }) => line === 'GET /readyz')?.authorization, undefined)
})

t.test('status: one is one', async t => {
  const gateway = await standIn(t, { ...WELL, 'GET /api/v1/stats': { body: { ...STATS, counters: { ...STATS.counters, duplicates: 1 }, events: 1 } } })
  t.match((await run(['status', ...gateway.flags], gateway)).out, /12 accepted, 1 duplicate, 9 delivered, 2 failed; 1 event in the record/)
})

t.test('status: how much of the memory is used, and what went early', async t => {
  const memory = { usedBytes: 54_000_000, maxBytes: 67_108_864 }
  const full = await standIn(t, { ...WELL, 'GET /api/v1/stats': { body: { ...STATS, memory, counters: { ...STATS.counters, deletedEarly: 7 } } } })
  const { out } = await run(['status', ...full.flags], full)
  t.match(out, /80 % of 64 MB of Redis used/)
  t.match(out, /! 7 events deleted before their retention ended, because memory was short/)
  const unknown = await standIn(t, { ...WELL, 'GET /api/v1/stats': { body: { ...STATS, memory: null } } })
  t.notMatch((await run(['status', ...unknown.flags], unknown)).out, /of Redis used|deleted/)
})

t.test('status: --json is one document of the three', async t => {
  const gateway = await standIn(t, WELL)
  const { out } = await run(['status', '--json', ...gateway.flags], gateway)
  t.strictSame(JSON.parse(out), { readiness: WELL['GET /readyz'].body, stats: STATS, subscribers: [SUBSCRIBER] })
})

const REPLICA = { id: 'rep_1', host: 'web-1', pid: 42, role: 'all', version: '1.2.3', startedAt: '2026-03-01T12:00:00Z', configuration: 'aaaaaaaaaaaa', configuredAt: '2026-03-01T12:00:00Z', differs: false, self: true }

t.test('status: several replicas are listed, and the one that differs is marked', async t => {
  const replicas = [REPLICA, { ...REPLICA, host: 'web-2', pid: 43, role: 'deliver', configuration: 'bbbbbbbbbbbb', differs: true, self: false }]
  const gateway = await standIn(t, { ...WELL, 'GET /api/v1/stats': { body: { ...STATS, replicas } } })
  const { out } = await run(['status', ...gateway.flags], gateway)
  for (const says of [/web-1 \(this\) +42 +all +1\.2\.3 .* aaaaaaaaaaaa\n/, /web-2 +43 +deliver +1\.2\.3 .* bbbbbbbbbbbb differs\n/]) t.match(out, says)
  t.match(JSON.parse((await run(['status', '--json', ...gateway.flags], gateway)).out), { stats: { replicas } })
})

t.test('status: one replica alone is told as the gateway', async t => {
  const gateway = await standIn(t, { ...WELL, 'GET /api/v1/stats': { body: { ...STATS, replicas: [REPLICA] } } })
  t.notMatch((await run(['status', ...gateway.flags], gateway)).out, /web-1|aaaa/)
})

t.test('replay: the order says what the flags say', async t => {
  const gateway = await standIn(t, { 'POST /api/v1/replays': { status: 202, body: { id: 'rpl_1', matched: null } } })
  const flags = `--subscriber billing --state any --since 6h --event-id ${ID} --event-id ${OTHER},x --new-id --rate 20`
  const { code, out, err } = await run(['replay', ...flags.split(' '), ...gateway.flags], gateway)
  t.equal(code, 0)
  t.strictSame(gateway.asked[0]?.body, { subscriber: 'billing', state: 'any', since: '6h', eventIds: [ID, OTHER, 'x'], newId: true, ratePerSecond: 20 })
  t.equal(out, 'rpl_1: taken, and runs in the background.\n')
  t.equal(err, `See how far it is with: fotor-relay replay --follow rpl_1 --url ${gateway.url}\nStop it with: fotor-relay replay --cancel rpl_1 --url ${gateway.url}\n`)
  t.strictSame(JSON.parse((await run(['replay', '--all', '--json', ...gateway.flags], gateway)).out), { id: 'rpl_1', matched: null })
})

t.test('replay: a dry run only counts', async t => {
  const gateway = await standIn(t, { 'POST /api/v1/replays': { body: { id: null, matched: 1 } } })
  t.match(await run(['replay', '--all', '--dry-run', ...gateway.flags], gateway), { code: 0, out: '1 delivery would be replayed.\n' })
  t.strictSame(gateway.asked[0]?.body, { all: true, dryRun: true })
  const { out } = await run(['replay', '--all', '--dry-run', '--json', ...gateway.flags], gateway)
  t.strictSame(JSON.parse(out), { id: null, matched: 1 })
})

t.test('replay: a dry run that stopped early says "at least"', async t => {
  const answer = { id: null, matched: 10_000, atLeast: true }
  const gateway = await standIn(t, { 'POST /api/v1/replays': { body: answer } })
  t.match(await run(['replay', '--all', '--dry-run', ...gateway.flags], gateway), { code: 0, out: 'at least 10000 deliveries would be replayed.\n' })
  t.strictSame(JSON.parse((await run(['replay', '--all', '--dry-run', '--json', ...gateway.flags], gateway)).out), answer)
})

const TAKEN = { status: 202, body: { id: 'rpl_1', matched: null } }
const LOST = { body: {}, isLost: true } as const
const UNDER_WAY = problem(409, 'A request with this Idempotency-Key is under way.')

t.test('an order has a key of its own', async t => {
  const gateway = await standIn(t, { 'POST /api/v1/replays': TAKEN, 'POST /api/v1/deliveries/discard': { status: 202, body: { id: 'ord_1', matched: null } } })
  for (const words of ['replay --all', 'replay --all', 'discard --all --yes', 'discard --all --yes']) await run([...words.split(' '), ...gateway.flags], gateway)
  const keys = gateway.asked.map(({ idempotencyKey }) => idempotencyKey)
  t.equal(new Set(keys).size, 4)
  t.ok(keys.every(key => /^[\w-]{36}$/.test(key ?? '')))
})

t.test('an order whose answer was lost is sent again under the same key, also while the gateway is busy with the first', async t => {
  const gateway = await standIn(t, { 'POST /api/v1/replays': [LOST, UNDER_WAY, TAKEN] })
  t.match(await run(['replay', '--all', ...gateway.flags], gateway), { code: 0, out: /rpl_1: taken/ })
  t.equal(gateway.asked.length, 3)
  t.equal(new Set(gateway.asked.map(({ idempotencyKey, text }) => `${idempotencyKey} ${text}`)).size, 1)
})

t.test('an order that was refused is not sent again', async t => {
  const gateway = await standIn(t, { 'POST /api/v1/replays': problem(503, 'Redis does not answer.') })
  t.match(await run(['replay', '--all', ...gateway.flags], gateway), { code: 1, err: /Redis does not answer/ })
  t.equal(gateway.asked.length, 1)
})

t.test('when nobody knows whether an order was taken, it is said how to try again without doing it twice', async t => {
  const asked: string[] = []
  const api: AdminApi = {
    url: '',
    get: async () => { throw new Error('nobody asks') },
    post: async (_path, _body, headers) => {
      asked.push(headers!['idempotency-key']!)
      throw new NoAnswer('no answer', { reason: 'ECONNRESET', nextSteps: ['look'], cause: null })
    },
    count: async () => { throw new Error('nobody asks') },
    probe: async () => { throw new Error('nobody asks') },
    command: words => words
  }
  const failed = await placeOrder(api, { path: '/replays', order: {}, waitsMs: [1, 1] }).then(() => null, (error: unknown) => error as CommandFailure)
  t.match(failed, { message: /not known whether the order was taken: no answer/, nextSteps: [new RegExp(`same command with: --idempotency-key ${asked[0]}$`), 'look'] })
  t.strictSame(asked, [asked[0], asked[0], asked[0]])
  await t.rejects(placeOrder(api, { path: '/replays', order: {}, key: 'mine', waitsMs: [] }))
  t.equal(asked.at(-1), 'mine')
})

t.test('replay --wait: stays until everything has ended, shows how far it is, and fails when something failed', async t => {
  const steps = [replay({ queued: 1 }), replay({ state: 'done', queued: 3, delivered: 1 }), replay({ state: 'done', queued: 3, delivered: 2, failed: 1 })]
  const gateway = await standIn(t, { 'POST /api/v1/replays': { status: 202, body: { id: 'rpl_1', matched: null } }, 'GET /api/v1/replays/rpl_1': steps.map(body => ({ body })) })
  const { code, out, err } = await run(['replay', '--all', '--wait', ...gateway.flags], { ...gateway, columns: 100 })
  t.equal(code, 1)
  t.match(out, /2 delivered, 1 failed, of 3 deliveries/)
  t.match(err, /33 % 1 delivered, 0 failed, 3 of 3 put back/)
  t.match(err, /1 of these deliveries failed again/)
})

t.test('replay --wait: what was given up meanwhile has ended too, and a good end is clean', async t => {
  const gateway = await standIn(t, {
    'POST /api/v1/replays': { status: 202, body: { id: 'rpl_1', matched: null } },
    'GET /api/v1/replays/rpl_1': { body: replay({ state: 'done', queued: 2, delivered: 1, discarded: 1 }) }
  })
  const { code, err } = await run(['replay', '--all', '--wait', ...gateway.flags], gateway)
  t.equal(code, 0)
  t.notMatch(err, /%/, 'no progress off a terminal')
})

t.test('replay --wait DURATION: leaves when it takes longer, and says that it goes on', async t => {
  const gateway = await standIn(t, {
    'POST /api/v1/replays': { status: 202, body: { id: 'rpl_1', matched: null } }, 'GET /api/v1/replays/rpl_1': { body: replay({ queued: 3, delivered: 1 }) }
  })
  t.match(await run(['replay', '--all', '--wait', '1ms', ...gateway.flags], gateway), { code: 1, err: /2 deliveries of rpl_1 are still open; the replay continues\n.*fotor-relay status --url http/ })
})

t.test('replay --cancel: stops one, and says what stays', async t => {
  const gateway = await standIn(t, { 'POST /api/v1/replays/rpl_1/cancel': { body: replay({ state: 'cancelled', queued: 1 }) } })
  t.match(await run(['replay', '--cancel', 'rpl_1', ...gateway.flags], gateway), { code: 0, out: /rpl_1 is cancelled: 1 of 3 deliveries/ })
})

const discarding = (rest: object) => ({ ...replay({ matched: 2, discarded: 0, ...rest }), id: 'ord_1', kind: 'discard' })
const COUNTED = { body: { id: null, matched: 2 } }
const DISCARDS = {
  'POST /api/v1/deliveries/discard': [COUNTED, { status: 202, body: { id: 'ord_1', matched: null } }],
  'GET /api/v1/replays/ord_1': [{ body: discarding({ matched: null }) }, { body: discarding({ discarded: 1 }) }, { body: discarding({ state: 'done', discarded: 2 }) }]
}

t.test('discard: asks at a terminal, with the count, and does it after a yes', async t => {
  const gateway = await standIn(t, structuredClone(DISCARDS))
  const { code, out, err } = await run(['discard', '--subscriber', 'billing', ...gateway.flags], { ...gateway, columns: 80, input: 'y\n' })
  t.match({ code, out }, { code: 0, out: 'ord_1: taken, and runs in the background.\n' })
  t.match(err, new RegExp(`See how far it is with: fotor-relay discard --follow ord_1 --url ${gateway.url}\\nStop it with: fotor-relay discard --cancel ord_1`))
  t.match(err, /Give up 2 deliveries\? \[y\/N\]/)
  t.strictSame(gateway.asked.map(({ body }) => body), [{ subscriber: 'billing', dryRun: true }, { subscriber: 'billing' }])
})

for (const input of ['\n', 'no\n', 'yeah, no\n']) {
  t.test(`discard: anything but a yes discards nothing: ${JSON.stringify(input)}`, async t => {
    const gateway = await standIn(t, structuredClone(DISCARDS))
    t.match(await run(['discard', '--all', ...gateway.flags], { ...gateway, columns: 80, input }), { code: 1, out: '', err: /nothing was discarded/ })
    t.equal(gateway.asked.length, 1)
  })
}

t.test('discard: where nobody can be asked it needs --yes, and asks the gateway nothing before', async t => {
  const gateway = await standIn(t, { 'POST /api/v1/deliveries/discard': { status: 202, body: { id: 'ord_1', matched: null } } })
  t.match(await run(['discard', '--all', ...gateway.flags], gateway), { code: 2, err: /add --yes/ })
  t.equal(gateway.asked.length, 0)
  t.match(await run(['discard', '--all', '--config', '/nowhere.yaml']), { code: 2, err: /add --yes/ })
  t.match(await run(['discard', '--all', '--yes', ...gateway.flags], gateway), { code: 0, out: /^ord_1: taken/ })
  t.strictSame(gateway.asked[0]?.body, { all: true })
})

t.test('discard --wait: shows how far it is, and says how many', async t => {
  const gateway = await standIn(t, { ...structuredClone(DISCARDS), 'POST /api/v1/deliveries/discard': { status: 202, body: { id: 'ord_1', matched: null } } })
  const { code, out, err } = await run(['discard', '--all', '--yes', '--wait', ...gateway.flags], { ...gateway, columns: 100 })
  t.match({ code, out }, { code: 0, out: '2 deliveries discarded.\n' })
  t.match(err, /counting.*50 % 1 of 2 discarded/s)
})

t.test('discard --follow and --cancel: an order that was given before', async t => {
  const gateway = await standIn(t, {
    'GET /api/v1/replays/ord_1': [{ body: discarding({ state: 'done', discarded: 1 }) }, { body: discarding({ state: 'cancelled', discarded: 1 }) }, { body: discarding({}) }],
    'POST /api/v1/replays/ord_1/cancel': { body: discarding({ state: 'cancelled', discarded: 1 }) }
  })
  t.match(await run(['discard', '--follow', 'ord_1', ...gateway.flags], gateway), { code: 0, out: '1 delivery discarded; 1 changed meanwhile and was left alone.\n' })
  t.match(await run(['discard', '--follow', 'ord_1', ...gateway.flags], gateway), { code: 1, out: '1 delivery discarded.\n', err: /ord_1 was cancelled/ })
  t.match(await run(['discard', '--follow', 'ord_1', '--wait', '1ms', ...gateway.flags], gateway), { code: 1, err: /ord_1 is not done yet; it continues\n.*discard --follow ord_1/ })
  t.match(await run(['discard', '--cancel', 'ord_1', ...gateway.flags], gateway), { code: 0, out: 'ord_1 is cancelled: 1 delivery was discarded and stays so.\n' })
})

t.test('discard: a dry run asks nobody', async t => {
  const gateway = await standIn(t, structuredClone(DISCARDS))
  t.match(await run(['discard', '--all', '--dry-run', ...gateway.flags], gateway), { code: 0, out: '2 deliveries would be discarded.\n' })
})

const purging = (rest: object) => ({ ...replay({ matched: 2, purged: 0, ...rest }), id: 'ord_1', kind: 'purge' })
const TAKEN_AS_ORD = { status: 202, body: { id: 'ord_1', matched: null } }

t.test('purge: asks at a terminal, with the count, and follows to the end', async t => {
  const gateway = await standIn(t, {
    'POST /api/v1/purge': [COUNTED, TAKEN_AS_ORD],
    'GET /api/v1/replays/ord_1': [{ body: purging({ matched: null }) }, { body: purging({ purged: 1 }) }, { body: purging({ state: 'done', purged: 2 }) }]
  })
  const { code, out, err } = await run(['purge', '--business-id', 'x', '--until', '30d', '--wait', ...gateway.flags], { ...gateway, columns: 100, input: 'y\n' })
  t.match({ code, out }, { code: 0, out: '2 events deleted.\n' })
  t.match(err, /Delete 2 events for good, with what is still owed of them\? \[y\/N\]/)
  t.match(err, /counting.*50 % 1 of 2 deleted/s)
  t.strictSame(gateway.asked.slice(0, 2).map(({ body }) => body), [{ businessId: 'x', until: '30d', dryRun: true }, { businessId: 'x', until: '30d' }])
})

t.test('purge: anything but a yes deletes nothing, and where nobody can be asked it needs --yes', async t => {
  const gateway = await standIn(t, { 'POST /api/v1/purge': COUNTED })
  t.match(await run(['purge', '--task-id', 'a', ...gateway.flags], { ...gateway, columns: 80, input: 'no\n' }), { code: 1, out: '', err: /nothing was deleted/ })
  t.match(await run(['purge', '--task-id', 'a', ...gateway.flags], gateway), { code: 2, err: /add --yes/ })
  t.equal(gateway.asked.length, 1)
  t.match(await run(['purge', '--task-id', 'a', '--dry-run', ...gateway.flags], gateway), { code: 0, out: '2 events would be deleted.\n' })
})

t.test('purge --cancel: says what is gone', async t => {
  const gateway = await standIn(t, { 'POST /api/v1/replays/ord_1/cancel': { body: purging({ state: 'cancelled', purged: 1 }) } })
  t.match(await run(['purge', '--cancel', 'ord_1', ...gateway.flags], gateway), { code: 0, out: 'ord_1 is cancelled: 1 event is deleted for good.\n' })
})

const releasing = (rest: object) => ({ ...replay({ matched: 2, ...rest }), id: 'ord_1', kind: 'release' })

t.test('release: is over when everything is in its queue, whatever becomes of it there', async t => {
  const gateway = await standIn(t, {
    'POST /api/v1/deliveries/release': TAKEN_AS_ORD,
    'GET /api/v1/replays/ord_1': [{ body: releasing({ queued: 1 }) }, { body: releasing({ state: 'done', queued: 2 }) }]
  })
  const { code, out, err } = await run(['release', '--task-id', 'a', '--event-id', ID, '--wait', ...gateway.flags], { ...gateway, columns: 100 })
  t.match({ code, out }, { code: 0, out: '2 deliveries released.\n' })
  t.match(err, /50 % 1 of 2 released/)
  t.strictSame(gateway.asked[0]?.body, { taskId: 'a', eventIds: [ID] })
})

t.test('release --dry-run and --cancel: say how many', async t => {
  const gateway = await standIn(t, { 'POST /api/v1/deliveries/release': COUNTED, 'POST /api/v1/replays/ord_1/cancel': { body: releasing({ state: 'cancelled', queued: 1 }) } })
  t.match(await run(['release', '--all', '--dry-run', ...gateway.flags], gateway), { code: 0, out: '2 deliveries would be released.\n' })
  t.match(await run(['release', '--cancel', 'ord_1', ...gateway.flags], gateway), { code: 0, out: 'ord_1 is cancelled: 1 delivery was released and stays in its queue.\n' })
})

t.test('an event that is corrupt is marked in the list, and told when it is shown', async t => {
  const gateway = await standIn(t, {
    'GET /api/v1/events': { body: { items: [event(ID, { flags: ['late'], corrupt: true })], nextCursor: null } }, [`GET /api/v1/events/${ID}`]: { body: { ...event(ID, { corrupt: true }), attempts: [] } }
  })
  t.match(await run(['events', ...gateway.flags], gateway), { out: /late corrupt/ })
  t.match(await run(['show', ID, ...gateway.flags], gateway), { out: /corrupt +something of it cannot be read in Redis/ })
})

t.test('pause and resume: say what follows', async t => {
  const gateway = await standIn(t, { 'POST /api/v1/subscribers/billing/pause': { body: SUBSCRIBER }, 'POST /api/v1/subscribers/billing/resume': { body: SUBSCRIBER } })
  t.match(await run(['pause', 'billing', ...gateway.flags], gateway), { code: 0, out: /billing is paused.*fotor-relay resume billing/ })
  t.match(await run(['resume', 'billing', ...gateway.flags], gateway), { code: 0, out: /billing is resumed/ })
  t.equal(gateway.asked[0]?.contentType, undefined)
})

t.test('reload: says what changed', async t => {
  const gateway = await standIn(t, { 'POST /api/v1/config/reload': [{ body: { changed: ['subscribers', 'log.level'] } }, { body: { changed: [] } }] })
  t.match(await run(['reload', ...gateway.flags], gateway), { code: 0, out: 'Reloaded; changed: subscribers, log.level\n' })
  t.match(await run(['reload', ...gateway.flags], gateway), { code: 0, out: 'Reloaded; nothing has changed.\n' })
})

t.test('reload: a refused one lists the faults and ends with 2', async t => {
  const faults = [{ path: 'admin.listen', message: 'needs a restart to change', line: 3, column: 5, hint: 'restart the gateway' }]
  const gateway = await standIn(t, { 'POST /api/v1/config/reload': problem(422, '1 fault', { faults }) })
  const { code, out, err } = await run(['reload', ...gateway.flags], gateway)
  t.match({ code, out }, { code: 2, out: '' })
  t.match(err, /configuration:3:5 {2}admin\.listen needs a restart to change\n {4}→ restart the gateway\nerror: nothing was reloaded/)
})

t.test('send: only what was said goes to the gateway, which has the defaults', async t => {
  const gateway = await standIn(t, { 'POST /api/v1/test-events': { status: 202, body: { status: 'accepted', eventId: ID } } })
  const { code, out, err } = await run(['send', '--type', 'avatar', '--status', '-1', '--subscriber', 'billing', ...gateway.flags], gateway)
  t.match({ code, out }, { code: 0, out: `accepted ${ID}\n` })
  t.equal(err, `See what becomes of it with: fotor-relay show ${ID} --url ${gateway.url}\n`)
  t.strictSame(gateway.asked[0]?.body, { type: 'avatar', status: -1, subscriber: 'billing' })
})

const CALLBACK = '{ "taskId":"t",\n"status":1,"type":"x", "n": 12345678901234567890 }'

t.test('send --file: the callback is sent byte for byte, from a file or standard input', async t => {
  const gateway = await standIn(t, { 'POST /api/v1/test-events': { status: 202, body: { status: 'spooled', eventId: null } } })
  const file = join(folder(t, { 'c.json': CALLBACK }), 'c.json')
  t.match(await run(['send', '--file', file, ...gateway.flags], gateway), { code: 0, out: 'spooled\n' })
  await run(['send', '--file', '-', ...gateway.flags], { ...gateway, input: CALLBACK })
  for (const { body } of gateway.asked) t.strictSame(body, { body: CALLBACK })
})

t.test('send --file: what is not text, or not there, is said before anything is sent', async t => {
  const gateway = await standIn(t, {})
  t.match(await run(['send', '--file', '-', ...gateway.flags], { ...gateway, input: Buffer.from([0xff, 0xfe]) }), { code: 2, err: /not UTF-8/ })
  t.match(await run(['send', '--file', '/nowhere.json', ...gateway.flags], gateway), { code: 2, err: /\/nowhere\.json cannot be read \(ENOENT\)/ })
  t.equal(gateway.asked.length, 0)
})

t.test('send --to: posts to a public endpoint, byte for byte and without a token', async t => {
  const gateway = await standIn(t, { 'POST /webhooks/fotor/secret': { body: { status: 'accepted', eventId: ID } } })
  const file = join(folder(t, { 'c.json': '' }), 'c.json')
  writeFileSync(file, CALLBACK)
  const { code, out } = await run(['send', '--file', file, '--to', gateway.url + '/webhooks/fotor/secret'], gateway)
  t.match({ code, out }, { code: 0, out: `accepted ${ID}\n` })
  t.match(gateway.asked[0], { text: CALLBACK, authorization: undefined, contentType: 'application/json' })

  await run(['send', '--task-id', 'mine', '--to', gateway.url + '/webhooks/fotor/secret'], gateway)
  t.strictSame(gateway.asked[1]?.body, { taskId: 'mine', status: 1, type: 'test' })
})

/** Answers of 200 that no gateway gives. */
const STRANGE: readonly unknown[] = [
  { status: '\u001b[31mred' }, { status: 'accepted', eventId: 'evt_\u001b[2J' }, { status: 'accepted', eventId: 7 }, { eventId: ID }, 'hello', []
]
for (const body of STRANGE) {
  t.test(`send --to: only what a gateway says is printed, not ${JSON.stringify(body)}`, async t => {
    const gateway = await standIn(t, { 'POST /secret': { body: JSON.stringify(body) } })
    const { code, out, err } = await run(['send', '--to', gateway.url + '/secret'], gateway)
    t.match({ code, out }, { code: 1, out: '' })
    t.match(err, /answered 200, but not like a gateway\n.*ingest\.path/)
  })
}

t.test('send --to: what else came with the answer is not printed', async t => {
  const gateway = await standIn(t, { 'POST /secret': { body: { status: 'duplicate', eventId: ID, more: '\u001b[2J' } } })
  const { out } = await run(['send', '--json', '--to', gateway.url + '/secret'], gateway)
  t.strictSame(JSON.parse(out), { status: 'duplicate', eventId: ID })
})

t.test('--json: what a terminal would obey is escaped, and means the same', async t => {
  const page = { items: [], nextCursor: 'a\u007f\u0085\u009b\u2028\u202e\u2066\u2069é' }
  const gateway = await standIn(t, { 'GET /api/v1/events': { body: page } })
  const { out } = await run(['events', '--json', ...gateway.flags], gateway)
  t.match(out, 'a\\u007f\\u0085\\u009b\\u2028\\u202e\\u2066\\u2069é')
  t.strictSame(JSON.parse(out), page)
})

/** What a public endpoint answers, and what it means for whoever sent. */
const ANSWERS: ReadonlyArray<[status: number, says: RegExp]> = [
  [403, /answered 403: this address is not in ingest\.allowFrom\n.*ingest\.allowlist.*monitor\n.*trustedProxies/],
  [404, /answered 404.*\n.*ingest\.path/],
  [400, /answered 400: taskId is missing/],
  [503, /answered 503.*\n.*fotor-relay status --config relay\.yaml\n/]
]
for (const [status, says] of ANSWERS) {
  t.test(`send --to: ${status} is explained, without the secret path`, async t => {
    const gateway = await standIn(t, { 'POST /secret': problem(status, 'taskId is missing') })
    const { code, err } = await run(['send', '--to', gateway.url + '/secret', '--config', 'relay.yaml'], gateway)
    t.equal(code, 1)
    t.match(err, says)
    t.notMatch(err, /\/secret/)
  })
}
