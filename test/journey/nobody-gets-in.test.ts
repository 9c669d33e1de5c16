/**
 * Promise 7: nobody gets in. The public listener serves one route; everything
 * an operator uses is on another listener behind a token; and no secret of the
 * configuration comes out anywhere: a whole story is told with planted
 * secrets, and everything that was said is searched for them.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from '../support/tap.js'
import { startGateway } from '../../src/gateway.js'
import { findServerProgram } from '../../src/redis/server-program.js'
import { run } from '../cli/at-the-terminal.js'
import { runCommand } from '../support/command.js'
import { makeHome, startInProcess, type Home, type Settings, type TestGateway } from '../support/gateway.js'
import { startRedis } from '../support/redis.js'
import { answers, startSubscriber } from '../support/subscriber.js'
import { freePort, send, sendBytes } from '../support/wire.js'
import { until } from '../support/until.js'

async function start (t: Test, settings: Settings = {}): Promise<{ home: Home, gateway: TestGateway }> {
  const home = makeHome(settings)
  const gateway = await startInProcess(home)
  t.teardown(async () => {
    await gateway.stop()
    home.remove()
  })
  return { home, gateway }
}

interface Operation { method: string, path: string }

/** Every operation that the gateway says it has, with something in the place of each parameter. */
async function operationsOf ({ adminUrl }: TestGateway): Promise<Operation[]> {
  const { paths } = await (await fetch(`${adminUrl}/api/openapi.json`)).json() as { paths: Record<string, Record<string, unknown>> }
  return Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map(method => ({
    method: method.toUpperCase(), path: path.replace(/\{\w+\}/g, 'anything')
  })))
}

/** What may be known without a token. */
const OPEN = ['/healthz', '/readyz', '/metrics', '/api/openapi.json']
const TOKENS = [
  { name: 'alice', value: 'operator-0123456789abcdef', role: 'operator' },
  { name: 'bob', value: 'viewer-0123456789abcdef', role: 'viewer' }
]

async function ask (url: string, { method, path }: Operation, headers: Record<string, string> = {}): Promise<Response> {
  return await fetch(url + path, { method, headers })
}

t.test('the public listener serves one route, and nothing of the admin API, whatever the token', async t => {
  const { gateway } = await start(t, { admin: { tokens: TOKENS } })
  const publicUrl = new URL(gateway.ingestUrl).origin
  const operations = await operationsOf(gateway)
  t.ok(operations.length > 15, `${operations.length} operations`)
  for (const operation of [...operations, ...['/', '/metrics', '/favicon.ico', '/console', '/robots.txt', '/.env', '/documentation/json'].map(path => ({ method: 'GET', path }))]) {
    const response = await ask(publicUrl, operation, { authorization: `Bearer ${TOKENS[0]!.value}` })
    t.equal(response.status, 404, `${operation.method} ${operation.path}`)
    t.strictSame(await response.json(), { type: 'about:blank', title: 'Not Found', status: 404 })
    t.strictSame(['server', 'x-powered-by', 'via', 'access-control-allow-origin'].filter(name => response.headers.has(name)), [], 'and does not say what it is')
  }
  t.equal((await gateway.post({ taskId: 'a', status: 1, type: 'x' })).status, 200, 'its one route is there')
  t.equal((await sendBytes(publicUrl, 'CONNECT 127.0.0.1:1 HTTP/1.1\r\nhost: a\r\n\r\n')).text, '', 'it is no proxy')
  t.equal((await send(publicUrl, { method: 'GET', target: '/webhooks/fotor', headers: ['upgrade: websocket', 'connection: upgrade'] })).status, 405, 'and speaks nothing else')
})

t.test('the admin API wants a token', async t => {
  const { gateway } = await start(t, { admin: { tokens: TOKENS } })
  const { adminUrl } = gateway
  const closed = (await operationsOf(gateway)).filter(({ path }) => !OPEN.includes(path))

  const NONE: Array<[says: string, headers: Record<string, string>, query?: string]> = [
    ['no token', {}],
    ['an empty one', { authorization: 'Bearer ' }],
    ['a wrong one', { authorization: 'Bearer wrong' }],
    ['the start of one', { authorization: `Bearer ${TOKENS[0]!.value.slice(0, -1)}` }],
    ['one and more', { authorization: `Bearer ${TOKENS[0]!.value}x` }],
    ['two at once', { authorization: `Bearer ${TOKENS[0]!.value} ${TOKENS[1]!.value}` }],
    ['another scheme', { authorization: `Basic ${Buffer.from(`alice:${TOKENS[0]!.value}`).toString('base64')}` }],
    ['its name', { authorization: 'Bearer alice' }],
    ['one in another header', { 'x-api-key': TOKENS[0]!.value, cookie: `token=${TOKENS[0]!.value}` }],
    ['one in the query', {}, `?token=${TOKENS[0]!.value}&access_token=${TOKENS[0]!.value}`]
  ]
  for (const [says, headers, query = ''] of NONE) {
    await t.test(`${says}: 401 for every operation`, async t => {
      for (const { method, path } of closed) {
        const response = await ask(adminUrl, { method, path: path + query }, headers)
        t.equal(response.status, 401, `${method} ${path}`)
        t.equal(response.headers.get('www-authenticate'), 'Bearer')
        t.notMatch(await response.text(), /0123456789abcdef|alice|bob/)
      }
    })
  }

  await t.test('also where nothing is, so that nobody learns what is', async t => {
    for (const path of ['/api/v1/nothing', '/api/v2/events', '/api/v1', '/api/', '/api/v1/events/', '/API/v1/events', '/api//v1/events', '/%61pi/v1/events', '/api/v1/%65vents']) {
      const response = await ask(adminUrl, { method: 'GET', path })
      t.ok([401, 404].includes(response.status), `${path}: ${response.status}`)
      t.notMatch(await response.text(), /items/)
    }
  })

  await t.test('a viewer reads everything and changes nothing', async t => {
    const headers = { authorization: `Bearer ${TOKENS[1]!.value}` }
    for (const operation of closed) {
      const { status } = await ask(adminUrl, operation, headers)
      if (operation.method === 'GET') t.ok(status === 200 || status === 404, `${operation.path}: ${status}`)
      else t.equal(status, 403, `${operation.method} ${operation.path}`)
    }
    t.equal((await gateway.post({ taskId: 'b', status: 1, type: 'x' })).status, 200)
  })

  await t.test('an operator may change', async t => {
    const response = await ask(adminUrl, { method: 'POST', path: '/api/v1/config/reload' }, { authorization: `bearer ${TOKENS[0]!.value}` })
    t.equal(response.status, 200)
  })

  await t.test('what needs no token tells little', async t => {
    t.strictSame(await (await fetch(`${adminUrl}/healthz`)).json(), { status: 'ok' })
    t.strictSame(Object.keys(await (await fetch(`${adminUrl}/readyz`)).json() as object).sort(), ['reasons', 'status'])
  })

  await t.test('no page of another site may read it', async t => {
    const response = await fetch(`${adminUrl}/api/v1/stats`, { headers: { authorization: `Bearer ${TOKENS[0]!.value}`, origin: 'https://elsewhere.example' } })
    t.equal(response.headers.get('access-control-allow-origin'), null)
    const asked = await fetch(`${adminUrl}/api/v1/replays`, { method: 'OPTIONS', headers: { origin: 'https://elsewhere.example', 'access-control-request-method': 'POST' } })
    t.equal(asked.status, 401)
    t.equal(asked.headers.get('access-control-allow-methods'), null)
  })
})

t.test('a token that is taken out of the configuration opens nothing after the reload', async t => {
  const { home, gateway } = await start(t, { admin: { tokens: TOKENS } })
  const headers = { authorization: `Bearer ${TOKENS[0]!.value}` }
  t.equal((await ask(gateway.adminUrl, { method: 'GET', path: '/api/v1/stats' }, headers)).status, 200)
  home.configure({ admin: { tokens: [TOKENS[1]] } })
  t.equal((await ask(gateway.adminUrl, { method: 'POST', path: '/api/v1/config/reload' }, headers)).status, 200)
  t.equal((await ask(gateway.adminUrl, { method: 'GET', path: '/api/v1/stats' }, headers)).status, 401)
  t.equal((await gateway.api('GET', '/api/v1/stats')).status, 401, 'nor does the one that the gateway made for itself')
})

for (const listen of ['0.0.0.0:0', '[::]:0', '192.0.2.1:8081', 'relay.internal:8081']) {
  t.test(`operators on ${listen} without a token: refuses to start`, async t => {
    const home = makeHome({ admin: { listen } })
    t.teardown(home.remove)
    const { code, out, err } = await runCommand(['start', '--config', home.configFile])
    t.equal(code, 2)
    t.match(err, /relay\.yaml:\d+:\d+ {2}admin\.tokens must name a token, because admin\.listen, .* is not loopback/)
    t.equal(out, '')
    t.notOk(readdirSync(home.dir).includes('data'), 'and leaves nothing behind')
  })
}

t.test('without a configured token the gateway makes one, for its owner alone, and the command line finds it', async t => {
  const port = await freePort()
  const { home, gateway } = await start(t, { admin: { listen: `127.0.0.1:${port}` } })
  const file = join(home.dir, 'data', 'admin-token')
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.equal(statSync(join(home.dir, 'data')).mode & 0o777, 0o700)
  const token = readFileSync(file, 'utf8').trim()
  t.match(token, /^[\w-]{43}$/)

  for (const words of [['--config', home.configFile], ['--url', gateway.adminUrl, '--config', home.configFile], ['--url', gateway.adminUrl, '--token-file', file]]) {
    const { code, out, err } = await runCommand(['status', '--json', ...words])
    t.equal(code, 0, err)
    t.match(JSON.parse(out), { readiness: { status: 'ok' } })
    t.notMatch(out + err, token)
  }
  const lost = await runCommand(['status', '--url', gateway.adminUrl], { cwd: '/' })
  t.equal(lost.code, 1, 'without either it is let in by nobody')
  t.match(lost.err, /token/)

  await gateway.stop()
  const again = await startInProcess(home)
  t.teardown(again.stop)
  t.equal(readFileSync(file, 'utf8').trim(), token, 'the next start keeps it')
})

/** What must never be seen, in each form that it might take on the way. */
const PLANTED = {
  pathSegment: 'hush-path-31d7',
  operatorToken: 'hush-operator-31d7',
  viewerToken: 'hush-viewer-31d7',
  wrongToken: 'hush-wrong-31d7',
  urlUser: 'hush-user-31d7',
  urlPassword: 'hush-word-31d7',
  urlQuery: 'hush-query-31d7',
  authorization: 'hush-bearer-31d7',
  header: 'hush-header-31d7',
  redisPassword: 'hush-redis-31d7',
  callbackQuery: 'hush-callback-31d7',
  signing: 'aHVzaC1zaWduaW5nLTMxZDctMzFkNy0zMWQ3LTMx'
}
const FORMS = Object.values(PLANTED).flatMap(secret => [secret, encodeURIComponent(secret), Buffer.from(secret).toString('hex')])
  .concat(Buffer.from(`${PLANTED.urlUser}:${PLANTED.urlPassword}`).toString('base64'), 'aHVzaC', 'hush-')

t.test('a whole story with planted secrets: none is ever said', async t => {
  const said: Array<[where: string, text: string]> = []
  /** Everything that anybody was told. */
  function hear (where: string, text: string): void { said.push([where, text]) }

  const redisPort = await freePort()
  const adminPort = await freePort()
  const redis = await startRedis(['--port', String(redisPort), '--bind', '127.0.0.1'])
  await redis.client().config('SET', 'requirepass', PLANTED.redisPassword)
  /** Answers with everything it was sent. */
  const echo = await startSubscriber((response, { headers, body }, request) => {
    response.writeHead(500, { 'x-echo': 'yes' }).end(`${String(request.url)} ${JSON.stringify(headers)} ${body.toString()}`)
  })
  const good = await startSubscriber()
  const leaver = await startSubscriber(answers.status(410))
  const home = makeHome()
  const at = (name: string): string => join(home.dir, name)
  for (const [name, secret] of Object.entries(PLANTED)) writeFileSync(at(name), secret + '\n')
  const from = (name: keyof typeof PLANTED): string => `\${file:${at(name)}}`
  const withSecrets = (url: string): string => `${url.replace('http://', `http://${from('urlUser')}:${from('urlPassword')}@`)}?key=${from('urlQuery')}`
  const secretive = (name: string, url: string, more: object = {}): object => ({
    name,
    url: withSecrets(url),
    headers: name === 'literal' ? {} : { Authorization: `Bearer ${from('authorization')}`, 'X-Key': from('header') },
    secrets: [`whsec_${from('signing')}`],
    retry: ['10ms'],
    ...more
  })
  const settings = (more: Settings = {}): Settings => ({
    ingest: { path: `/webhooks/${from('pathSegment')}`, trustedProxies: ['127.0.0.1'] },
    admin: {
      listen: `127.0.0.1:${adminPort}`,
      tokens: [from('operatorToken'), { name: 'watcher', value: from('viewerToken'), role: 'viewer' }]
    },
    redis: { url: `redis://:${from('redisPassword')}@127.0.0.1:${redisPort}` },
    log: { level: 'trace' },
    subscribers: [
      secretive('good', good.url),
      secretive('echo', echo.url),
      secretive('leaver', leaver.url),
      secretive('refusing', 'http://127.0.0.1:1/'),
      secretive('unknown', 'http://nowhere.invalid/'),
      { ...secretive('literal', good.url), headers: { Authorization: `Bearer ${PLANTED.authorization}` }, url: `${good.url}?key=${PLANTED.urlQuery}`, secrets: [`whsec_${PLANTED.signing}`] }
    ],
    ...more
  })
  home.configure(settings())
  const gateway = await startInProcess(home)
  t.teardown(async () => {
    await gateway.stop()
    await Promise.all([echo.close(), good.close(), leaver.close()])
    await redis.close()
    home.remove()
  })

  async function api (method: string, path: string, { body, token = PLANTED.operatorToken }: { body?: object, token?: string } = {}): Promise<Record<string, unknown>> {
    const response = await fetch(gateway.adminUrl + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await response.text()
    hear(`${method} ${path}`, `${response.status} ${JSON.stringify([...response.headers])} ${text}`)
    try { return JSON.parse(text) as Record<string, unknown> } catch { return {} }
  }
  function hearFiles (where: string, folder: string): void {
    for (const file of readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())) {
      hear(where, readFileSync(join(file.parentPath, file.name), 'latin1'))
    }
  }
  async function takesWrites (): Promise<boolean> {
    const { reasons } = await (await fetch(`${gateway.adminUrl}/readyz`)).json() as { reasons: string[] }
    return !reasons.some(reason => reason.includes('Redis accepts no writes'))
  }
  async function command (...words: string[]): Promise<number> {
    const { code, out, err } = await run(words, {
      deps: { startGateway: async options => await startGateway({ ...options, log: { write: line => { hear('the log of another start', line) } } }), findServerProgram }
    })
    hear(`fotor-relay ${words[0]}`, out + err)
    return code
  }
  async function knock (body: string, more: { target?: string, method?: string, headers?: string[] } = {}): Promise<number> {
    const { pathname } = new URL(gateway.ingestUrl)
    const { status, text } = await send(gateway.ingestUrl, { target: `${pathname}?token=${PLANTED.callbackQuery}`, body, ...more })
    hear(`callback ${status}`, text)
    return status
  }

  t.match(gateway.ingestUrl, PLANTED.pathSegment, 'the path is the one of the file')
  await t.test('callbacks, taken and refused', async t => {
    const { pathname } = new URL(gateway.ingestUrl)
    t.equal(await knock('{"taskId":"one","status":1,"type":"x"}'), 200)
    t.equal(await knock('{"taskId":"one","status":1,"type":"x"}'), 200)
    t.equal(await knock('{"status":1}'), 400)
    t.equal(await knock('{"taskId":"two","status":1,"type":"x"}', { headers: ['x-forwarded-for: 203.0.113.9'] }), 403)
    t.equal(await knock('', { method: 'GET' }), 405)
    t.equal(await knock('x'.repeat(2_000_000)), 413)
    t.equal(await knock('{}', { target: pathname.slice(0, -1) }), 404)
    t.equal(await knock('{}', { target: `${pathname}//` }), 404)
    t.equal(await knock('{}', { target: '/webhooks/fotor' }), 404)
  })
  await t.test('deliveries of every outcome', async t => {
    await good.waitFor(2)
    t.match(good.received.map(({ headers }) => headers.authorization), [`Bearer ${PLANTED.authorization}`, `Bearer ${PLANTED.authorization}`], 'the secrets are really sent')
    await until(async () => {
      const { items = [] } = await api('GET', '/api/v1/deliveries') as { items?: Array<{ state: string }> }
      return (items.length === 6 && items.every(({ state }) => state === 'delivered' || state === 'failed')) || undefined
    })
  })

  await t.test('everything that the API tells', async t => {
    const { items } = await api('GET', '/api/v1/events') as { items: Array<{ id: string, deliveries: unknown[] }> }
    const { id } = items[0]!
    const shown = await api('GET', `/api/v1/events/${id}`) as { attempts: Array<{ subscriber: string, responseExcerpt: string | null }> }
    const echoed = shown.attempts.find(({ subscriber }) => subscriber === 'echo')?.responseExcerpt ?? ''
    t.match(echoed, /Bearer \*\*\*|"authorization":"\*\*\*"/, 'an answer that echoes its request is shown without its secrets')
    for (const { method, path } of await operationsOf(gateway)) {
      if (method === 'GET') await api('GET', path.replace('anything', id))
      else await api('POST', path.replace('anything', 'good'), { body: {} })
      await api(method, path, { token: PLANTED.wrongToken })
      await api(method, path, { token: PLANTED.viewerToken })
    }
    for (const path of ['/metrics', '/healthz', '/readyz', '/api/v1/audit', '/api/v1/quarantine', '/api/v1/stats/history?window=15m', `/api/v1/events?taskIdd=${'x'.repeat(10)}`]) await api('GET', path)
    await api('POST', '/api/v1/test-events', { body: { subscriber: 'echo' } })
    await api('POST', '/api/v1/test-events', { body: { body: 'nonsense' } })
    await api('POST', '/api/v1/replays', { body: { state: 'any', all: true } })
    await api('POST', '/api/v1/subscribers/good/resume')
  })

  await t.test('everything that the command line says', async t => {
    const place = ['--config', home.configFile]
    for (const words of [['check', home.configFile], ['check', '--json', home.configFile], ['status', ...place], ['status', '--json', ...place], ['events', ...place], ['events', '--json', ...place], ['show', 'one', '--json', ...place], ['reload', ...place]]) {
      t.equal(await command(...words), 0, words.join(' '))
    }
    await command('doctor', ...place)
    await command('send', '--subscriber', 'echo', ...place)
    t.equal(await command('send', '--to', gateway.ingestUrl), 0)
    t.equal(await command('send', '--to', gateway.ingestUrl + '/wrong'), 1)
    t.equal(await command('send', '--to', `http://127.0.0.1:1/webhooks/${PLANTED.pathSegment}?token=${PLANTED.callbackQuery}`), 1)
    t.equal(await command('send', '--to', `http://[${PLANTED.pathSegment}`), 2)
    t.equal(await command('status', '--url', gateway.adminUrl, '--token-file', at('wrongToken')), 1)
    t.equal(await command('start', ...place), 1, 'a second gateway cannot start')
  })

  await t.test('a reload that is refused, one that changes secrets, and configurations that cannot be read', async t => {
    const faulty: Array<[says: string, settings: Settings]> = [
      ['a token in the place of a duration', { shutdownGrace: from('operatorToken') }],
      ['a signing secret in the place of a name', { subscribers: [{ name: from('signing'), url: from('authorization') }] }],
      ['a password in the place of a URL', { redis: { url: from('redisPassword') } }],
      ['another password of Redis', { redis: { url: `redis://:${from('header')}@127.0.0.1:${redisPort}` } }],
      ['an unknown key', { [PLANTED.header.slice(5)]: from('header') }],
      ['bad secrets and headers', { subscribers: [{ name: 'a', url: withSecrets('ftp://a/'), secrets: [from('header')], headers: { host: from('header'), 'bad name': from('header') } }] }],
      ['bad tokens and networks', { admin: { listen: from('operatorToken'), tokens: [from('operatorToken'), from('operatorToken')] }, ingest: { path: from('pathSegment'), allowFrom: [from('header')] } }]
    ]
    for (const [says, more] of faulty) {
      home.configure(settings(more))
      t.match(await api('POST', '/api/v1/config/reload'), { status: 422, faults: [Object] }, says)
      if (says !== 'another password of Redis') t.equal(await command('check', home.configFile), 2, says)
      await command('reload', '--config', home.configFile)
      if (says !== 'another password of Redis') t.equal(await command('start', '--config', home.configFile), 2, says)
    }
    writeFileSync(home.configFile, `a: [ "${PLANTED.header}\n  ${PLANTED.urlPassword}: : ${PLANTED.signing}`)
    t.match(await api('POST', '/api/v1/config/reload'), { status: 422 })
    await command('check', home.configFile)
    await api('GET', '/readyz')

    home.configure(settings())
    writeFileSync(at('authorization'), PLANTED.header)
    writeFileSync(at('pathSegment'), PLANTED.pathSegment + '-new')
    writeFileSync(at('viewerToken'), PLANTED.viewerToken + '-new')
    t.match(await api('POST', '/api/v1/config/reload'), { changed: [String] })
    const { pathname } = new URL(gateway.ingestUrl)
    t.equal(await knock('{"taskId":"three","status":1,"type":"x"}', { target: pathname }), 404, 'the old path is closed')
    t.equal(await knock('{"taskId":"three","status":1,"type":"x"}', { target: pathname + '-new' }), 200)
  })

  await t.test('Redis goes away and comes back, and does not know its password any more', async t => {
    await redis.kill()
    t.equal(await knock('{"taskId":"four","status":1,"type":"x"}', { target: `${new URL(gateway.ingestUrl).pathname}-new` }), 200)
    for (const path of ['/readyz', '/api/v1/stats', '/api/v1/events', '/api/v1/subscribers']) await api('GET', path)
    hearFiles('what lies in the spool', join(home.dir, 'data', 'spool'))
    await redis.restart()
    await until(async () => await takesWrites() || undefined)
    const operator = redis.client()
    await operator.config('SET', 'requirepass', PLANTED.redisPassword + '-other')
    await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await until(async () => !await takesWrites() || undefined)
    await api('GET', '/readyz')
    t.equal(await command('start', '--config', home.configFile), 1)
    await operator.config('SET', 'requirepass', PLANTED.redisPassword)
    await until(async () => await takesWrites() || undefined)
  })

  hear('the log', gateway.log.map(line => JSON.stringify(line)).join('\n'))
  hearFiles('what lies in Redis', join(redis.path, '..'))

  await t.test('nothing of it was said anywhere', async t => {
    t.ok(said.length > 100 && said.some(([where, text]) => where === 'the log' && text.length > 10_000), `${said.length} things were said`)
    t.ok(said.some(([where, text]) => where === 'what lies in the spool' && text.includes('"taskId":"four"')), 'the spool was looked at')
    t.ok(said.some(([where, text]) => where === 'what lies in Redis' && text.includes('"taskId":"one"')), 'the data of Redis was looked at')
    for (const [where, text] of said) {
      const heard = FORMS.find(form => text.toLowerCase().includes(form.toLowerCase()))
      if (heard !== undefined) t.fail(`${where}: ${context(text, heard)}`)
    }
  })
})

/** Where it stands, for whoever has to mend it. */
function context (text: string, heard: string): string {
  const at = text.toLowerCase().indexOf(heard.toLowerCase())
  return text.slice(Math.max(0, at - 120), at + 60)
}
