/**
 * Bad input in every place where a person can give some: the answer says what
 * is wrong and where. A command ends with 2, a request gets a problem document
 * of 4xx; nobody is shown a stack trace, and nothing is our fault.
 */
import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from '../support/tap.js'
import { startGateway } from '../../src/gateway.js'
import { findServerProgram } from '../../src/redis/server-program.js'
import { run } from '../cli/at-the-terminal.js'
import { runCommand, type Ended } from '../support/command.js'
import { makeHome, startInProcess, type Home, type TestGateway } from '../support/gateway.js'
import { requestBytes, sendBytes, type WireAnswer, type WireRequest } from '../support/wire.js'

const TOKEN = 'operator-0123456789abcdef'
const VIEWER = 'viewer-0123456789abcdef'
const EVENT = 'evt_01JQ4Z8XK3V7M2N9P5R6S8T0WA'

/** What a person must never be shown. */
const INNARDS = /\n\s+at .*[:(]\d+:\d+|node_modules|\.(ts|js|lua):\d+|TypeError|SyntaxError|ERR_|\[object Object\]|undefined|Internal error of fotor-relay/

async function start (t: Test): Promise<{ home: Home, gateway: TestGateway }> {
  const home = makeHome({
    admin: { tokens: [TOKEN, { name: 'watcher', value: VIEWER, role: 'viewer' }] },
    subscribers: [{ name: 'billing', url: 'http://127.0.0.1:1/', enabled: false, match: { types: ['avatar'] } }]
  })
  const gateway = await startInProcess(home)
  t.teardown(async () => {
    await gateway.stop()
    home.remove()
  })
  return { home, gateway }
}

interface Row {
  says: string
  /** `GET /events`: below the API, unless it begins with another word. */
  request: string
  body?: unknown
  headers?: string[]
  status: number
  detail: RegExp
  /** The parameters or fields that are named. */
  names?: string[]
}

const list = (says: string, query: string, detail: RegExp, name: string): Row => ({ says, request: `GET /events?${query}`, status: 400, detail, names: [name] })
const order = (says: string, body: unknown, detail: RegExp, name?: string): Row => ({ says, request: 'POST /replays', body, status: 400, detail, ...(name === undefined ? {} : { names: [name] }) })
const test = (says: string, body: unknown, detail: RegExp, name: string): Row => ({ says, request: 'POST /test-events', body, status: 400, detail, names: [name] })
const missing = (request: string, detail: RegExp = /no such|no .* of this name/): Row => ({ says: `${request.slice(0, 60)} is not there`, request, status: 404, detail })
const raw = (says: string, body: string | Buffer, status: number, detail: RegExp, headers: string[] = ['content-type: application/json']): Row => ({ says, request: 'POST /replays', body, headers, status, detail })

const deep = '['.repeat(50_000) + ']'.repeat(50_000)

const ROWS: Row[] = [
  list('a page of none', 'limit=0', /limit takes a whole number from 1 to 500/, 'limit'),
  list('a page too long', 'limit=501', /limit takes/, 'limit'),
  list('half a limit', 'limit=1.5', /limit takes/, 'limit'),
  list('a limit in words', 'limit=many', /limit takes/, 'limit'),
  list('a limit of nothing', 'limit=', /limit takes/, 'limit'),
  list('a limit beyond numbers', 'limit=1e999', /limit takes/, 'limit'),
  list('a cursor made up', 'cursor=abc', /cursor takes the nextCursor/, 'cursor'),
  list('an empty cursor', 'cursor=', /cursor takes/, 'cursor'),
  list('the cursor of another list', `cursor=${Buffer.from('d.1.0').toString('base64url')}`, /of the same list/, 'cursor'),
  list('a cursor and more', `cursor=${Buffer.from('e.1').toString('base64url')}==`, /cursor takes/, 'cursor'),
  list('a status in words', 'status=done', /status takes one or more integers/, 'status'),
  list('one bad status of several', 'status=1,,2', /status takes/, 'status'),
  list('a state nobody has', 'state=lost', /state takes one or more of queued/, 'state'),
  list('a flag nobody sets', 'flag=odd', /flag takes one or more of late/, 'flag'),
  list('yesterday', 'since=yesterday', /since takes a time like/, 'since'),
  list('a day that is none', 'until=2026-02-30', /until takes a time like/, 'until'),
  list('a bare number of a time', 'since=1', /since takes/, 'since'),
  list('an empty filter', 'taskId=', /taskId takes/, 'taskId'),
  list('a parameter mistyped', 'taskid=a', /no parameter "taskid".*Did you mean taskId/, 'taskid'),
  list('a parameter twice', 'taskId=a&taskId=b', /taskId takes/, 'taskId'),
  list('a name with brackets', 'taskId[]=a', /no parameter/, 'taskId[]'),
  list('__proto__', '__proto__=1', /no parameter "__proto__"/, '__proto__'),
  list('constructor', 'constructor=1', /no parameter "constructor"/, 'constructor'),
  { says: 'more values than a filter takes', request: `GET /events?taskId=${'a,'.repeat(1_000)}a`, status: 400, detail: /taskId takes/, names: ['taskId'] },
  { says: 'two things wrong at once', request: 'GET /deliveries?limit=0&state=lost&oops=1', status: 400, detail: /oops/ },
  { says: 'a parameter where none is known', request: 'GET /stats?verbose=1', status: 400, detail: /No parameter is known here/, names: ['verbose'] },

  missing('GET /events/nope'),
  missing(`GET /events/${EVENT}`),
  missing(`GET /events/${EVENT}/body`),
  missing('GET /events/..%2f..%2fmeta'),
  missing('GET /events/%00'),
  missing('GET /events/a:b*?'),
  missing(`POST /events/${EVENT}/release`),
  missing(`POST /events/${EVENT}/discard`),
  missing('GET /replays/nope'),
  missing('POST /replays/rpl_01JQ4Z8XK3V7M2N9P5R6S8T0WA/cancel'),
  missing('POST /subscribers/biling/pause', /Did you mean billing/),
  missing('POST /subscribers/__proto__/resume', /There are billing/),
  missing('GET /nothing', /openapi\.json/),
  missing('GET //events', /openapi\.json/),
  { says: 'a path that is not one', request: 'GET /events/%zz', status: 400, detail: /percent-encoding/ },
  { says: 'an id longer than any', request: `GET /events/${'x'.repeat(2_000)}`, status: 414, detail: /longer than any name/ },
  { says: 'the wrong method', request: 'DELETE /events', status: 405, detail: /Allowed: GET/ },
  { says: 'the wrong method where one changes', request: 'GET /test-events', status: 405, detail: /Allowed: POST/ },

  raw('no JSON', '{oops', 400, /not valid JSON/),
  raw('JSON with an end too many', '{}}', 400, /not valid JSON/),
  raw('JSON with __proto__', '{"__proto__":{"all":true}}', 400, /./),
  raw('JSON too deep', deep, 400, /./),
  raw('half a character', Buffer.from([0x22, 0xff, 0x22]), 400, /./),
  raw('a body too large', JSON.stringify({ taskId: 'x'.repeat(1_100_000) }), 413, /larger than 1 MB/),
  raw('another content type', 'all=true', 415, /as JSON/, ['content-type: application/x-www-form-urlencoded']),
  raw('no content type', Buffer.from('{"all":true}'), 415, /as JSON/, []),
  raw('compressed', 'x', 400, /not valid JSON/, ['content-type: application/json', 'content-encoding: gzip']),

  order('an order of nothing', {}, /at least one filter, or all: true/, 'all'),
  order('no body at all', undefined, /at least one filter, or all: true/, 'all'),
  order('a list', [], /must be a JSON object/),
  order('null', null, /at least one filter|JSON object/),
  order('a text', 'all', /must be a JSON object/),
  order('all in words', { all: 'yes' }, /all takes true/, 'all'),
  order('all: false', { all: false }, /at least one filter/, 'all'),
  order('a field mistyped', { subscribers: 'billing' }, /no field "subscribers".*Did you mean subscriber/, 'subscribers'),
  order('a subscriber mistyped', { subscriber: 'biling' }, /no subscriber "biling".*Did you mean billing/, 'subscriber'),
  order('a state nobody has', { state: 'lost', all: true }, /state takes one of failed/, 'state'),
  order('missing for nobody', { state: 'missing', since: '1h' }, /needs exactly one subscriber/, 'subscriber'),
  order('no event ids', { eventIds: [] }, /eventIds takes/, 'eventIds'),
  order('ids that are none', { eventIds: [EVENT, 'nope'] }, /eventIds takes.*evt_/, 'eventIds'),
  order('too many ids', { eventIds: Array.from({ length: 1_001 }, () => EVENT) }, /at most 1000/, 'eventIds'),
  order('a taskId that is a number', { taskId: 7 }, /taskId takes/, 'taskId'),
  order('a status that is half', { status: 0.5 }, /status takes/, 'status'),
  order('a list within a list', { status: [[1]] }, /status takes/, 'status'),
  order('yesterday', { since: 'yesterday' }, /since takes a time like/, 'since'),
  order('a time that is a number', { since: 1_700_000_000 }, /since takes/, 'since'),
  order('no speed', { all: true, ratePerSecond: 0 }, /ratePerSecond takes a whole number from 1/, 'ratePerSecond'),
  order('a speed beyond any', { all: true, ratePerSecond: 1e9 }, /ratePerSecond takes/, 'ratePerSecond'),
  order('newId in words', { all: true, newId: 'yes' }, /newId takes true/, 'newId'),
  order('dryRun in numbers', { all: true, dryRun: 1 }, /dryRun takes true/, 'dryRun'),
  { says: 'discard nothing', request: 'POST /deliveries/discard', body: {}, status: 400, detail: /at least one filter/, names: ['all'] },
  { says: 'discard what is over', request: 'POST /deliveries/discard', body: { state: 'delivered' }, status: 400, detail: /state takes one or more of queued/, names: ['state'] },
  { says: 'discard for a stranger', request: 'POST /deliveries/discard', body: { subscriber: ['billing', 'x'] }, status: 400, detail: /no subscriber "x"/, names: ['subscriber'] },
  { says: 'release nothing', request: 'POST /deliveries/release', body: {}, status: 400, detail: /at least one filter/, names: ['all'] },
  { says: 'purge everything', request: 'POST /purge', body: {}, status: 400, detail: /at least one of taskId, businessId and until/, names: ['taskId'] },
  { says: 'a body where none is known', request: 'POST /subscribers/billing/pause', body: { force: true }, status: 400, detail: /No field is known here/, names: ['force'] },
  { says: 'a field that a reload does not know', request: 'POST /config/reload', body: { force: true }, status: 400, detail: /There is no field "force"/, names: ['force'] },

  test('an empty taskId', { taskId: '' }, /taskId takes a text of 1 to 256/, 'taskId'),
  test('a taskId too long', { taskId: 'x'.repeat(257) }, /taskId takes/, 'taskId'),
  test('a taskId with a control character', { taskId: 'a\u0007' }, /taskId must not hold control characters/, 'taskId'),
  test('half a status', { status: 1.5 }, /status takes an integer/, 'status'),
  test('a status too large', { status: 1e300 }, /status/, 'status'),
  test('two ways at once', { body: {}, taskId: 'a' }, /body is the whole callback/, 'body'),
  test('a body that is a list', { body: [] }, /body takes the whole callback/, 'body'),
  test('a body that is no callback', { body: 'hello' }, /This is not a callback/, 'body'),
  test('a body without a type', { body: { taskId: 'a', status: 1 } }, /type is missing/, 'type'),
  test('for a stranger', { subscriber: 'nobody' }, /no subscriber "nobody"/, 'subscriber'),
  { says: 'for one who does not want it', request: 'POST /test-events', body: { subscriber: 'billing', type: 'video' }, status: 409, detail: /billing excludes this event.*types avatar/ },

  { says: 'no token', request: 'GET /stats', headers: ['authorization:'], status: 401, detail: /Authorization: Bearer/ },
  { says: 'a token that is none', request: 'GET /stats', headers: ['authorization: Bearer nope'], status: 401, detail: /not one of the admin tokens/ },
  { says: 'a token with a byte beyond ASCII', request: 'GET /stats', headers: ['authorization: Bearer n\u00f6pe'], status: 401, detail: /./ },
  { says: 'a viewer who wants to change', request: 'POST /replays', body: { all: true }, headers: [`authorization: Bearer ${VIEWER}`], status: 403, detail: /watcher" belongs to a viewer/ },
  { says: 'an empty Idempotency-Key', request: 'POST /replays', body: { all: true }, headers: ['idempotency-key:'], status: 400, detail: /Idempotency-Key takes 1 to 255/ },
  { says: 'an Idempotency-Key too long', request: 'POST /replays', body: { all: true }, headers: [`idempotency-key: ${'x'.repeat(256)}`], status: 400, detail: /Idempotency-Key takes/ }
]

/** A request to the admin API as it is written in a row. */
function toApi ({ request, body, headers = [] }: Pick<Row, 'request' | 'body' | 'headers'>): WireRequest {
  const [method = '', path = ''] = request.split(/ (.*)/s)
  const asIs = typeof body === 'string' && headers.length > 0
  const ours = headers.some(header => header.startsWith('authorization')) ? [] : [`authorization: Bearer ${TOKEN}`]
  if (body === undefined || asIs || Buffer.isBuffer(body)) {
    return { method, target: '/api/v1' + path, headers: [...ours, ...headers], ...(body === undefined ? {} : { body: body as string | Buffer }) }
  }
  return { method, target: '/api/v1' + path, headers: ['content-type: application/json', ...ours, ...headers], body: JSON.stringify(body) }
}

function isProblem (t: Test, answer: WireAnswer, { status, detail, names }: Pick<Row, 'status' | 'detail' | 'names'>): void {
  t.equal(answer.status, status, answer.text.slice(0, 400))
  t.equal(answer.headers['content-type'], 'application/problem+json')
  t.match(answer.json, { type: 'about:blank', title: String, status, detail })
  if (names !== undefined) {
    const { errors = [] } = answer.json as { errors?: Array<{ name: string, problem: string }> }
    for (const name of names) t.ok(errors.some(error => error.name === name && error.problem.length > 10), `${name} is named`)
  }
  t.notMatch(answer.body, INNARDS)
}

t.test('requests to the admin API', async t => {
  const { gateway } = await start(t)
  for (const row of ROWS) {
    await t.test(row.says, async t => { isProblem(t, await sendBytes(gateway.adminUrl, requestBytes(toApi(row))), row) })
  }

  await t.test('an Idempotency-Key for two requests', async t => {
    const headers = ['idempotency-key: one']
    const ask = async (body: object): Promise<WireAnswer> => await sendBytes(gateway.adminUrl, requestBytes(toApi({ request: 'POST /replays', body, headers })))
    t.equal((await ask({ all: true, dryRun: true })).status, 200)
    isProblem(t, await ask({ all: true }), { status: 422, detail: /used for another request/ })
  })
  await t.test('what is not HTTP', async t => {
    for (const [bytes, status] of [['nonsense\r\n\r\n', 400], ['GET /readyz HTTP/1.1\r\nhost: a\r\na b: c\r\n\r\n', 400], [`GET /readyz HTTP/1.1\r\na: ${'x'.repeat(20_000)}\r\n\r\n`, 431]] as const) {
      const answer = await sendBytes(gateway.adminUrl, bytes)
      t.equal(answer.status, status)
      t.match(answer.json, { status, title: String })
    }
  })
  await t.test('all that was bad input, and none of it a fault of ours', async t => {
    t.strictSame(gateway.log.filter(({ level }) => level === 'error' || level === 'fatal'), [])
    t.strictSame(gateway.log.filter(({ msg }) => msg === 'queue.trouble'), [])
    t.equal((await gateway.post({ taskId: 'still', status: 1, type: 'here' })).status, 200)
  })
})

const FAULTS = 'test/config/faults'

t.test('a configuration with a fault: a running gateway says where, and goes on with the one before', async t => {
  const { home, gateway } = await start(t)
  async function reload (): Promise<WireAnswer> {
    return await sendBytes(gateway.adminUrl, requestBytes(toApi({ request: 'POST /config/reload' })))
  }
  for (const name of readdirSync(FAULTS).filter(name => name.endsWith('.yaml'))) {
    await t.test(name.replace('.yaml', '').replaceAll('-', ' '), async t => {
      copyFileSync(join(FAULTS, name), home.configFile)
      const answer = await reload()
      isProblem(t, answer, { status: 422, detail: /The configuration has \d+ faults?; the previous one stays in use/ })
      const { faults } = answer.json as { faults: Array<{ path: string, message: string, line: number | null, column: number | null }> }
      t.ok(faults.length > 0)
      for (const { message, line, column } of faults) t.ok(message.length > 5 && line !== null && column !== null, `${message} at ${line}:${column}`)
    })
  }
  for (const [says, change, detail] of [
    ['another port', { ingest: { listen: '127.0.0.1:9' } }, /ingest\.listen/],
    ['another directory', { dataDir: join(home.dir, 'other') }, /dataDir/],
    ['another Redis', { redis: { url: 'redis://127.0.0.1:1' } }, /redis\.url/]
  ] as const) {
    await t.test(`${says} needs a restart, by name`, async t => {
      home.configure({ admin: { tokens: [TOKEN] }, ...change })
      const answer = await reload()
      t.equal(answer.status, 422)
      t.match(JSON.stringify(answer.json?.['faults']), /needs a restart to change/)
      t.match(JSON.stringify(answer.json?.['faults']), detail)
    })
  }
  t.match((await (await fetch(`${gateway.adminUrl}/readyz`)).json()), { status: 'degraded', reasons: [/last reload was refused/] })
  t.equal((await gateway.post({ taskId: 'still', status: 1, type: 'here' })).status, 200)
})

interface Line {
  words: string[]
  env?: Record<string, string>
  says: RegExp
  /** 2 unless it is the machine's fault, or the gateway's answer. */
  code?: number
}

/** Lines that need no gateway; `@` stands for a directory with odd files. */
const LINES: Line[] = [
  { words: ['stat'], says: /unknown command 'stat'[^]*Did you mean .*status/ },
  { words: ['start', '--port', '1'], says: /unknown option '--port'/ },
  { words: ['start', '--role', 'boss'], says: /--role.*'boss' is invalid.*all, ingest, deliver/s },
  { words: ['start', '--config'], says: /--config <file>' argument missing/ },
  { words: ['start', '--config', '@/none.yaml'], says: /none\.yaml does not exist/ },
  { words: ['start', '--config', '@'], says: /is a directory/ },
  { words: ['start'], env: { RELAY_CONFIG: '@/none.yaml' }, says: /none\.yaml does not exist/ },
  { words: ['start', '--config', '@/binary.yaml'], says: /binary\.yaml/ },
  { words: ['start', '--config', '@/good.yaml'], env: { RELAY_REDIS_URL: 'localhost:6379' }, says: /redis\.url does not start with redis:\/\// },
  { words: ['start', '--config', '@/good.yaml'], env: { RELAY_REDIS_BIN: '@/none' }, says: /RELAY_REDIS_BIN: .*none is not an executable/, code: 1 },
  { words: ['check', '@/none.yaml'], says: /none\.yaml does not exist/ },
  { words: ['check', '@/faulty.yaml'], says: /faulty\.yaml:1:\d+ {2}ingest\.listn is not a known key|faulty\.yaml:\d+:\d+ {2}.*listn.*→ did you mean listen/is },
  { words: ['check', '@/empty-variable.yaml'], says: /RELAY_NOT_SET, which is not set/ },
  { words: ['check', 'a', 'b'], says: /too many arguments/ },
  { words: ['events', '--limit', 'many'], says: /--limit.*whole number from 1 to 500/s },
  { words: ['events', '--limit', '0'], says: /--limit.*whole number from 1 to 500/s },
  { words: ['events', '--oops'], says: /unknown option '--oops'/ },
  { words: ['show'], says: /missing required argument 'id'/ },
  { words: ['pause'], says: /missing required argument 'name'/ },
  { words: ['replay'], says: /at least one filter, or --all/ },
  { words: ['replay', '--all', '--rate', '0'], says: /--rate.*whole number from 1/s },
  { words: ['replay', '--all', '--wait', 'long'], says: /--wait.*not a duration/s },
  { words: ['replay', '--all', '--wait', '15'], says: /--wait.*no unit/s },
  { words: ['discard'], says: /at least one filter, or --all/ },
  { words: ['release'], says: /at least one filter, or --all/ },
  { words: ['purge'], says: /give --task-id, --business-id or --until/ },
  { words: ['send', '--file', '@/none.json'], says: /none\.json cannot be read \(ENOENT\)/ },
  { words: ['send', '--file', '@'], says: /cannot be read \(EISDIR\)/ },
  { words: ['send', '--status', 'done'], says: /--status.*whole number/s },
  { words: ['send', '--file', '@/none.json', '--type', 'x'], says: /cannot be used with option/ },
  { words: ['send', '--to', 'relay.example.com'], says: /URL of --to does not start with http/ },
  { words: ['status', '--url', '127.0.0.1:8081'], says: /does not start with http/ },
  { words: ['status', '--url', 'ftp://127.0.0.1'], says: /does not start with http/ },
  { words: ['status'], env: { RELAY_ADMIN_URL: 'nowhere' }, says: /does not start with http/ },
  { words: ['status', '--url', 'http://127.0.0.1:1', '--token-file', '@/none'], says: /token file .*none cannot be read \(ENOENT\)/ },
  { words: ['status', '--url', 'http://127.0.0.1:1'], env: { RELAY_ADMIN_TOKEN: 'two words' }, says: /RELAY_ADMIN_TOKEN does not hold a token/ },
  { words: ['status', '--url', 'http://127.0.0.1:1', '--token-file', '@/binary.yaml'], says: /binary\.yaml is not UTF-8 text/ },
  { words: ['status', '--config', '@/lost.yaml'], says: /lost\.yaml[^]*admin\.listen/ },
  { words: ['status', '--url', 'http://127.0.0.1:1'], says: /no gateway answers at http:\/\/127\.0\.0\.1:1/, code: 1 }
]

/** Lines to a running gateway. */
const TO_GATEWAY: Line[] = [
  { words: ['events', '--since', 'yesterday'], says: /since takes a time like[^]*correct --since/ },
  { words: ['events', '--status', 'done'], says: /status takes one or more integers[^]*correct --status/ },
  { words: ['events', '--state', 'lost'], says: /state takes one or more of[^]*correct --state/ },
  { words: ['events', '--cursor', 'abc'], says: /cursor takes[^]*correct --cursor/ },
  { words: ['replay', '--event-id', 'nope'], says: /eventIds takes[^]*correct --event-id/ },
  { words: ['replay', '--subscriber', 'biling'], says: /no subscriber "biling"[^]*Did you mean billing/ },
  { words: ['replay', '--state', 'missing', '--since', '1h'], says: /needs exactly one subscriber/ },
  { words: ['replay', '--cancel', 'rpl_nope'], says: /no such replay/, code: 1 },
  { words: ['discard', '--state', 'delivered', '--yes'], says: /state takes one or more of queued/ },
  { words: ['discard', '--all'], says: /add --yes/ },
  { words: ['purge', '--until', '30d'], says: /add --yes/ },
  { words: ['send', '--subscriber', 'biling'], says: /no subscriber "biling"/ },
  { words: ['send', '--task-id', 'x'.repeat(257)], says: /taskId takes a text of 1 to 256[^]*correct --task-id/ },
  { words: ['send', '--file', '@/binary.yaml'], says: /not UTF-8/ },
  { words: ['pause', 'biling'], says: /Did you mean billing/, code: 1 },
  { words: ['show', EVENT], says: /no such event/, code: 1 },
  { words: ['show', 'nothing-of-this-name'], says: /there is no event of task/, code: 1 }
]

function oddFiles (home: Home): void {
  const files: Array<[name: string, content: string | Buffer]> = [
    ['binary.yaml', Buffer.from([0x00, 0xff, 0xfe, 0x80, 0x0a, 0x3a])],
    ['faulty.yaml', 'ingest: { listn: 1 }\n'],
    ['lost.yaml', 'admin: { listen: nowhere }\n'],
    ['empty-variable.yaml', 'dataDir: "$' + '{RELAY_NOT_SET}"\n'],
    ['good.yaml', `dataDir: ${join(home.dir, 'good')}\ningest: { listen: "127.0.0.1:0" }\nadmin: { listen: "127.0.0.1:0" }\n`]
  ]
  mkdirSync(join(home.dir, 'odd'))
  for (const [name, content] of files) writeFileSync(join(home.dir, 'odd', name), content)
}

function isTold (t: Test, { code, err }: Pick<Ended, 'code' | 'err'>, line: Line): void {
  t.equal(code, line.code ?? 2, err)
  t.match(err, line.says)
  t.notMatch(err, INNARDS)
}

t.test('command lines and environments', async t => {
  const { home, gateway } = await start(t)
  oddFiles(home)
  const at = (text: string): string => text.replace('@', join(home.dir, 'odd'))
  const atAll = (env: Record<string, string>): Record<string, string> => Object.fromEntries(Object.entries(env).map(([name, value]) => [name, at(value)]))
  const titleOf = ({ words, env = {} }: Line): string => [...Object.entries(env).map(pair => pair.join('=')), ...words.map(word => word.slice(0, 60))].join(' ')
  const inProcess = { startGateway: async (options: Parameters<typeof startGateway>[0]) => await startGateway({ ...options, log: { write () {} } }), findServerProgram }

  for (const line of LINES) {
    await t.test(titleOf(line), async t => {
      isTold(t, await run(line.words.map(at), { env: atAll(line.env ?? {}), deps: inProcess }), line)
    })
  }
  for (const line of TO_GATEWAY) {
    await t.test(titleOf(line), async t => {
      isTold(t, await run([...line.words.map(at), '--url', gateway.adminUrl], { env: { RELAY_ADMIN_TOKEN: TOKEN } }), line)
    })
  }
  const says = (pattern: RegExp): Line => LINES.find(line => line.says.source === pattern.source)!
  for (const line of [LINES[0]!, LINES[4]!, says(/redis\.url does not start with redis:\/\//), says(/at least one filter, or --all/)]) {
    await t.test(`${titleOf(line)}, as a process of its own`, async t => {
      isTold(t, await runCommand(line.words.map(at), { env: atAll(line.env ?? {}) }), line)
    })
  }
})

t.test('callbacks: what and which field, and never a 5xx', async t => {
  const { gateway } = await start(t)
  for (const [body, field, detail] of [
    ['', undefined, /the body is not a usable JSON object/],
    ['{"status":1,"type":"x"}', 'taskId', /taskId is missing/],
    ['{"taskId":"a","status":"done","type":"x"}', 'status', /status must be an integer/],
    ['{"taskId":"a","status":1,"type":{}}', 'type', /type must be a string/]
  ] as const) {
    const answer = await sendBytes(gateway.ingestUrl, requestBytes({ target: '/webhooks/fotor', body }))
    isProblem(t, answer, { status: 400, detail })
    t.equal(answer.json?.['field'], field)
  }
})
