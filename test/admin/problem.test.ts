import t from '../support/tap.js'
import { problemOf } from '../../src/admin/problem.js'
import { RelayError } from '../../src/model/errors.js'
import { startApi } from './api.js'

let trouble: Error | null = null
const api = await startApi({
  reload: async () => {
    if (trouble !== null) throw trouble
    return { changed: [] }
  }
})
t.teardown(api.close)
t.beforeEach(() => { trouble = null })

interface Row {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS' | 'PATCH'
  url: string
  payload?: string
  type?: string
  status: number
  says?: RegExp
}

/** Every way to ask for what the API does not give. */
const TABLE: Readonly<Record<string, Row>> = {
  'an unknown path': { url: '/nothing', status: 404 },
  'an unknown path of the API': { url: '/api/v1/nothing', status: 404 },
  'the quarantine, which is not here': { url: '/api/v1/quarantine', status: 404 },
  'metrics, which are not here': { url: '/metrics', status: 404 },
  'a trailing slash': { url: '/api/v1/events/', status: 404 },
  'an event that is not': { url: '/api/v1/events/evt_01ARZ3NDEKTSV4RRFFQ69G5FAV', status: 404, says: /no such event/ },
  'an event with an odd name': { url: '/api/v1/events/%2e%2e%2f%2e%2e', status: 404 },
  'the body of no event': { url: '/api/v1/events/evt_01ARZ3NDEKTSV4RRFFQ69G5FAV/body', status: 404 },
  'the release of no event': { method: 'POST', url: '/api/v1/events/evt_01ARZ3NDEKTSV4RRFFQ69G5FAV/release', status: 404 },
  'the discarding of no event': { method: 'POST', url: '/api/v1/events/evt_01ARZ3NDEKTSV4RRFFQ69G5FAV/discard', status: 404 },
  'a replay that is not': { url: '/api/v1/replays/rpl_01ARZ3NDEKTSV4RRFFQ69G5FAV', status: 404, says: /no such replay/ },
  'the cancelling of no replay': { method: 'POST', url: '/api/v1/replays/rpl_01ARZ3NDEKTSV4RRFFQ69G5FAV/cancel', status: 404 },
  'the pause of nobody': { method: 'POST', url: '/api/v1/subscribers/biling/pause', status: 404, says: /Did you mean billing\?.*billing, mailer/ },
  'the resuming of nobody': { method: 'POST', url: '/api/v1/subscribers/nobody/resume', status: 404, says: /billing, mailer/ },
  'another method': { method: 'DELETE', url: '/api/v1/events', status: 405, says: /GET, HEAD/ },
  'another method on a probe': { method: 'POST', url: '/healthz', status: 405, says: /GET, HEAD/ },
  'a GET of what only takes POST': { url: '/api/v1/subscribers/billing/pause', status: 405, says: /POST/ },
  'a path with both methods': { method: 'PUT', url: '/api/v1/replays', status: 405, says: /POST, GET, HEAD/ },
  'a preflight of a browser': { method: 'OPTIONS', url: '/api/v1/events', status: 405 },
  'a path that is no path': { url: '/api/v1/events/%zz', status: 400, says: /percent-encoding/ },
  'a name longer than any': { url: `/api/v1/events/${'x'.repeat(200)}`, status: 414 },
  'a body that is no JSON': { method: 'POST', url: '/api/v1/replays', payload: '{"all": tru', status: 400, says: /not valid JSON/ },
  'a body that poisons prototypes': { method: 'POST', url: '/api/v1/replays', payload: '{"__proto__": {"all": true}}', status: 400 },
  'a body that is an array': { method: 'POST', url: '/api/v1/replays', payload: '[]', status: 400, says: /must be a JSON object/ },
  'a body that is null': { method: 'POST', url: '/api/v1/replays', payload: 'null', status: 400 },
  'a body of another type': { method: 'POST', url: '/api/v1/replays', payload: 'all=true', type: 'application/x-www-form-urlencoded', status: 415, says: /application\/json/ },
  'a body of text': { method: 'POST', url: '/api/v1/replays', payload: '{}', type: 'text/plain', status: 415 },
  'a body over a megabyte': { method: 'POST', url: '/api/v1/test-events', payload: `{"body":"${'x'.repeat(1024 * 1024)}"}`, status: 413, says: /1 MB/ },
  'an unknown parameter': { url: '/api/v1/events?stat=failed', status: 400, says: /no parameter "stat".*Did you mean state\?/ },
  'an unknown parameter like none': { url: '/api/v1/events?colour=blue', status: 400, says: /Known are taskId, type/ },
  'a parameter in another spelling': { url: '/api/v1/events?task-id=a', status: 400, says: /Did you mean taskId\?/ },
  'a parameter where none is known': { url: '/api/v1/stats?verbose=1', status: 400, says: /No parameter is known here/ },
  'a parameter twice': { url: '/api/v1/events?state=failed&state=held', status: 400, says: /state takes .*commas/ },
  'an unknown state': { url: '/api/v1/events?state=broken', status: 400, says: /state takes one or more of queued, retrying/ },
  'one unknown state of two': { url: '/api/v1/deliveries?state=failed,broken', status: 400 },
  'an empty list': { url: '/api/v1/events?taskId=', status: 400, says: /taskId takes/ },
  'a list with a hole': { url: '/api/v1/events?taskId=a,,b', status: 400 },
  'an unknown flag': { url: '/api/v1/events?flag=red', status: 400, says: /flag takes one or more of late/ },
  'a status that is no integer': { url: '/api/v1/events?status=done', status: 400, says: /status takes one or more integers/ },
  'a status with a fraction': { url: '/api/v1/events?status=1.5', status: 400 },
  'a time that is none': { url: '/api/v1/events?since=yesterday', status: 400, says: /since takes a time like/ },
  'a day that is none': { url: '/api/v1/events?until=2026-02-31', status: 400, says: /until takes/ },
  'a limit of nothing': { url: '/api/v1/events?limit=0', status: 400, says: /limit takes a whole number from 1 to 500/ },
  'a limit too high': { url: '/api/v1/deliveries?limit=501', status: 400 },
  'a limit that is no number': { url: '/api/v1/replays?limit=many', status: 400 },
  'a broken cursor': { url: '/api/v1/events?cursor=zzz', status: 400, says: /cursor takes the nextCursor/ },
  'an empty cursor': { url: '/api/v1/deliveries?cursor=', status: 400 },
  'a cursor of another list': { url: `/api/v1/events?cursor=${Buffer.from('d.5.0').toString('base64url')}`, status: 400 },
  'a replay of nothing said': { method: 'POST', url: '/api/v1/replays', payload: '{}', status: 400, says: /at least one filter, or all: true/ },
  'a replay without a body': { method: 'POST', url: '/api/v1/replays', status: 400, says: /all: true/ },
  'a replay with all: false': { method: 'POST', url: '/api/v1/replays', payload: '{"all":false,"newId":true}', status: 400, says: /all: true/ },
  'a replay to an unknown subscriber': { method: 'POST', url: '/api/v1/replays', payload: '{"subscriber":"biling"}', status: 400, says: /no subscriber "biling".*Did you mean billing\?.*billing, mailer/ },
  'a replay of an unknown state': { method: 'POST', url: '/api/v1/replays', payload: '{"state":"queued"}', status: 400, says: /state takes one of failed, delivered/ },
  'a replay of what nobody misses': { method: 'POST', url: '/api/v1/replays', payload: '{"state":"missing"}', status: 400, says: /exactly one subscriber/ },
  'a replay of what two miss': { method: 'POST', url: '/api/v1/replays', payload: '{"state":"missing","subscriber":"billing,mailer"}', status: 400, says: /exactly one subscriber/ },
  'a replay with a mistyped field': { method: 'POST', url: '/api/v1/replays', payload: '{"all":true,"dryrun":true}', status: 400, says: /no field "dryrun".*Did you mean dryRun\?/ },
  'a replay with an empty list': { method: 'POST', url: '/api/v1/replays', payload: '{"taskId":[]}', status: 400, says: /taskId takes/ },
  'a replay with null for a filter': { method: 'POST', url: '/api/v1/replays', payload: '{"taskId":null}', status: 400 },
  'a replay at no rate': { method: 'POST', url: '/api/v1/replays', payload: '{"all":true,"ratePerSecond":0}', status: 400, says: /ratePerSecond takes a whole number from 1 to 100000/ },
  'a replay at too high a rate': { method: 'POST', url: '/api/v1/replays', payload: '{"all":true,"ratePerSecond":100001}', status: 400 },
  'a replay with a text for a yes': { method: 'POST', url: '/api/v1/replays', payload: '{"all":"true"}', status: 400, says: /all takes true/ },
  'a replay of an event id that is none': { method: 'POST', url: '/api/v1/replays', payload: '{"eventIds":["evt_1"]}', status: 400, says: /eventIds takes/ },
  'a discard of nothing said': { method: 'POST', url: '/api/v1/deliveries/discard', payload: '{"dryRun":true}', status: 400, says: /at least one filter/ },
  'a discard of what is delivered': { method: 'POST', url: '/api/v1/deliveries/discard', payload: '{"state":"delivered"}', status: 400, says: /queued, retrying, held, failed/ },
  'a discard for an unknown subscriber': { method: 'POST', url: '/api/v1/deliveries/discard', payload: '{"subscriber":["mailr"]}', status: 400, says: /Did you mean mailer\?/ },
  'a field where none is known': { method: 'POST', url: '/api/v1/subscribers/billing/resume', payload: '{"force":true}', status: 400, says: /No field is known here/ },
  'a test for nobody': { method: 'POST', url: '/api/v1/test-events', payload: '{"subscriber":"nobody"}', status: 400, says: /billing, mailer/ },
  'a test with a body that is no object': { method: 'POST', url: '/api/v1/test-events', payload: '{"body":[1]}', status: 400, says: /body takes/ },
  'a test with a body and a task': { method: 'POST', url: '/api/v1/test-events', payload: '{"body":{},"taskId":"a"}', status: 400, says: /whole callback/ },
  'a test that is no callback': { method: 'POST', url: '/api/v1/test-events', payload: '{"body":{"taskId":"a","type":"b"}}', status: 400, says: /status is missing/ },
  'a test of bytes that are no JSON': { method: 'POST', url: '/api/v1/test-events', payload: '{"body":"hello"}', status: 400, says: /This is not a callback/ },
  'a test with an empty task': { method: 'POST', url: '/api/v1/test-events', payload: '{"taskId":""}', status: 400, says: /taskId takes/ }
}
for (const [says, { method = 'GET', url, payload, type = 'application/json', status, says: detail }] of Object.entries(TABLE)) {
  t.test(`${says} is a problem: ${status}`, async t => {
    const headers = { 'content-type': type }
    const reply = await api.app.inject({
      method,
      url,
      headers: { authorization: 'Bearer operator-token-1', ...(payload === undefined ? {} : headers) },
      ...(payload === undefined ? {} : { payload })
    })
    const problem = reply.json<{ status: number, title: string, type: string, detail: string }>()
    t.equal(reply.statusCode, status, problem.detail)
    t.equal(reply.headers['content-type'], 'application/problem+json')
    t.equal(reply.headers['cache-control'], 'no-store')
    t.match(problem, { type: 'about:blank', status, title: /\w/ })
    if (detail !== undefined) t.match(problem.detail, detail)
    if (status === 405) t.equal(problem.detail, `The method is not allowed. Allowed: ${String(reply.headers.allow)}.`)
  })
}

t.test('everything that is wrong is told at once, by name', async t => {
  const { json } = await api.get('/api/v1/events?limit=0&sate=failed&colour=red')
  t.strictSame((json as { errors: Array<{ name: string }> }).errors.map(({ name }) => name).sort(), ['colour', 'limit', 'sate'])
})

t.test('several filters with unusable values are all named', async t => {
  const { json } = await api.get('/api/v1/events?state=x&since=y&flag=z')
  t.strictSame((json as { errors: Array<{ name: string }> }).errors.map(({ name }) => name).sort(), ['flag', 'since', 'state'])
})

t.test('what nobody expected is 500, told to the log and not to the caller', async t => {
  trouble = new Error('secret detail')
  const { status, json, bytes } = await api.post('/api/v1/config/reload')
  t.equal(status, 500)
  t.match(json, { detail: /log/ })
  t.notMatch(bytes.toString(), 'secret detail')
  t.match(api.facts.at(-1), { error: /secret detail/ })
})

/** What the driver of Redis rejects with while there is none. */
const AWAY: ReadonlyArray<[says: string, error: Error]> = [
  ['no connection', new Error("Stream isn't writeable and enableOfflineQueue options is false")],
  ['a command that timed out', new Error('Command timed out')],
  ['a connection closed under a command', new Error('Connection is closed.')],
  ['a command tried too often', Object.assign(new Error('Reached the max retries'), { name: 'MaxRetriesPerRequestError' })],
  ['a refused connection', Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' })],
  ['a socket that is not there', Object.assign(new Error('connect ENOENT'), { code: 'ENOENT', syscall: 'connect' })],
  ['a server that is loading', new Error('LOADING Redis is loading the dataset in memory')],
  ['a server that became a replica', new Error("READONLY You can't write against a read only replica.")],
  ['a server that is full', new Error("OOM command not allowed when used memory > 'maxmemory'.")],
  ['our own word for it', new RelayError('REDIS_UNAVAILABLE', 'Redis did not carry out a transaction as a whole')]
]
for (const [says, error] of AWAY) {
  t.test(`${says} is 503`, async t => { t.equal(problemOf(error).status, 503) })
}

/** Errors that look a little like it. */
const NOT_AWAY: ReadonlyArray<[says: string, error: unknown, status: number]> = [
  ['a plain error', new Error('boom'), 500],
  ['an error of Fastify that is its own fault', Object.assign(new Error('x'), { statusCode: 500 }), 500],
  ['something thrown that is no error', 'boom', 500],
  ['a wrong command of ours', new Error('ERR wrong number of arguments'), 500],
  ['a missing file', Object.assign(new Error('ENOENT'), { code: 'ENOENT' }), 500],
  ['a conflict', new RelayError('CONFLICT', 'no'), 409]
]
for (const [says, error, status] of NOT_AWAY) {
  t.test(`${says} is ${status}`, async t => { t.equal(problemOf(error).status, status) })
}

t.test('a details member never takes the place of a member of the standard', async t => {
  trouble = new RelayError('CONFLICT', 'the detail', { status: 1, title: 'mine', detail: 'mine', type: 'mine', more: 'kept' })
  t.match((await api.post('/api/v1/config/reload')).json, {
    status: 409, title: 'Conflict', type: 'about:blank', detail: 'the detail', more: 'kept'
  })
})

t.test('while Redis is away every route that needs it is 503 with Retry-After, and does not wait for it', async t => {
  await api.redis.kill()
  t.teardown(async () => {
    await api.redis.restart()
  })
  const requests: Array<() => ReturnType<typeof api.get>> = [
    ...['events', 'deliveries', 'replays', 'subscribers', 'stats', 'events/evt_01ARZ3NDEKTSV4RRFFQ69G5FAV/body', 'replays/rpl_1']
      .map(path => async () => await api.get(`/api/v1/${path}`)),
    async () => await api.post('/api/v1/subscribers/billing/pause'),
    async () => await api.post('/api/v1/replays', { all: true }),
    async () => await api.post('/api/v1/test-events'),
    async () => await api.post('/api/v1/deliveries/discard', { all: true }),
    async () => await api.post('/api/v1/events/evt_01ARZ3NDEKTSV4RRFFQ69G5FAV/release'),
    async () => await api.post('/api/v1/config/reload', undefined, { headers: { 'idempotency-key': 'a' } })
  ]
  for (const request of requests) {
    const { status, headers } = await request()
    t.equal(status, 503)
    t.match(headers, { 'retry-after': /^\d+$/, 'content-type': 'application/problem+json' })
  }
  t.equal((await api.get('/healthz')).status, 200, 'the process lives')
})
