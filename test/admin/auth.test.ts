import t from '../support/tap.js'
import type { Token } from '../../src/config/config.js'
import { OPERATOR, startApi, VIEWER } from './api.js'

let tokens: Token[] = []
const CONFIGURED: Token[] = [
  { name: 'alice', value: OPERATOR, role: 'operator' },
  { name: 'bob', value: 'operator-token-2', role: 'operator' },
  { name: 'dashboard', value: VIEWER, role: 'viewer' }
]
const api = await startApi({ tokens: () => tokens })
t.teardown(api.close)
t.beforeEach(() => { tokens = CONFIGURED })

const REQUESTS: ReadonlyArray<[says: string, authorization: string | undefined, method: 'GET' | 'POST' | 'HEAD', status: number]> = [
  ['no header is 401', undefined, 'GET', 401],
  ['an empty header is 401', '', 'GET', 401],
  ['another scheme is 401', `Basic ${OPERATOR}`, 'GET', 401],
  ['a scheme without a token is 401', 'Bearer', 'GET', 401],
  ['a scheme with only spaces is 401', 'Bearer    ', 'GET', 401],
  ['a wrong token is 401', 'Bearer wrong', 'GET', 401],
  ['the beginning of a token is 401', `Bearer ${OPERATOR.slice(0, -1)}`, 'GET', 401],
  ['a token and more is 401', `Bearer ${OPERATOR}1`, 'GET', 401],
  ['a token with another behind it is 401', `Bearer ${OPERATOR} ${VIEWER}`, 'GET', 401],
  ['an operator may read', `Bearer ${OPERATOR}`, 'GET', 200],
  ['every token counts, not only the first', 'Bearer operator-token-2', 'GET', 200],
  ['the scheme may be in lower case', `bearer ${OPERATOR}`, 'GET', 200],
  ['a viewer may read', `Bearer ${VIEWER}`, 'GET', 200],
  ['a viewer may ask for the head', `Bearer ${VIEWER}`, 'HEAD', 200],
  ['a viewer may not change anything', `Bearer ${VIEWER}`, 'POST', 403],
  ['an operator is asked what it wants', `Bearer ${OPERATOR}`, 'POST', 400]
]
for (const [says, authorization, method, status] of REQUESTS) {
  t.test(says, async t => {
    const url = method === 'POST' ? '/api/v1/replays' : '/api/v1/events'
    const response = await api.app.inject({ method, url, headers: authorization === undefined ? {} : { authorization } })
    t.equal(response.statusCode, status)
    if (status === 401) t.equal(response.headers['www-authenticate'], 'Bearer')
    if (status >= 400) t.equal(response.headers['content-type'], 'application/problem+json')
  })
}

t.test('a viewer is told whose token it needs', async t => {
  const { json } = await api.post('/api/v1/replays', { all: true }, { headers: { authorization: `Bearer ${VIEWER}` } })
  t.match(json, { status: 403, detail: /operator/ })
})

t.test('no token at all lets nobody in', async t => {
  tokens = []
  for (const authorization of [`Bearer ${OPERATOR}`, 'Bearer undefined', 'Bearer null']) {
    const { status, json } = await api.get('/api/v1/events', { headers: { authorization } })
    t.equal(status, 401)
    t.match(json, { detail: /admin\.tokens/ })
  }
})

t.test('tokens are read at each request', async t => {
  tokens = [{ name: 'new', value: 'rotated', role: 'operator' }]
  t.equal((await api.get('/api/v1/events')).status, 401)
  t.equal((await api.get('/api/v1/events', { headers: { authorization: 'Bearer rotated' } })).status, 200)
})

t.test('what was presented is not repeated', async t => {
  const { bytes } = await api.get('/api/v1/events', { headers: { authorization: 'Bearer my-mistyped-secret' } })
  t.notMatch(bytes.toString(), 'my-mistyped-secret')
})

t.test('every refusal is reported, by its class and where it came from, and no token with it', async t => {
  api.facts.length = 0
  const ask = async (authorization: string | undefined, method: 'GET' | 'POST' = 'GET', remoteAddress = '192.0.2.1') =>
    await api.app.inject({ method, url: '/api/v1/events', remoteAddress, headers: authorization === undefined ? {} : { authorization } })
  await ask(undefined)
  await ask('Bearer hush-1')
  await ask('Bearer hush-1')
  await ask(`Bearer ${VIEWER}`, 'POST')
  await ask(`Bearer ${OPERATOR}`)
  t.strictSame(api.facts, ['no-token', 'wrong-token', 'same-wrong-token', 'viewer'].map(why => ({ fact: 'admin.refused', source: '192.0.2.1', why })))
})

t.test('who guesses must wait, right token or not; others need not', async t => {
  api.facts.length = 0
  const ask = async (token: string, remoteAddress: string) => await api.app.inject({ url: '/api/v1/events', remoteAddress, headers: { authorization: `Bearer ${token}` } })
  const statuses: number[] = []
  for (let guess = 0; guess < 50; guess++) statuses.push((await ask(`guess-${guess}`, '198.51.100.1')).statusCode)
  t.ok(statuses.filter(status => status === 401).length < 20, 'few were looked at')
  t.equal(statuses.at(-1), 429)
  const right = await ask(OPERATOR, '198.51.100.1')
  t.equal(right.statusCode, 429)
  t.match(right.headers, { 'retry-after': /^[1-9]\d?$/, 'content-type': 'application/problem+json' })
  t.match(right.json(), { detail: /^Too many wrong tokens came from this address\. Try again in \d+ s\.$/ })
  t.equal((await ask(OPERATOR, '198.51.100.2')).statusCode, 200)
  t.equal((await api.app.inject({ url: '/healthz', remoteAddress: '198.51.100.1' })).statusCode, 200, 'and probes need no token')
  t.equal(api.facts.length, 51, 'each is counted')
})

t.test('every route of the API asks for a token, and so does every other path under it', async t => {
  const { paths } = (await api.app.inject('/api/openapi.json')).json<{ paths: Record<string, Record<string, { security?: unknown[] }>> }>()
  const guarded = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods)
    .filter(([, { security }]) => security === undefined)
    .map(([method]) => ({ method: method.toUpperCase() as 'GET' | 'POST', url: path.replace(/\{\w+\}/g, 'x') })))
  t.ok(guarded.length > 15, 'the document names them')
  const others = ['/api/v1', '/api/v1/nothing', '/api/v1/events/', '/%61pi/v1/events', '/api/v1/%65vents', '/api//v1/events']
  for (const request of [...guarded, ...others.map(url => ({ method: 'GET' as const, url }))]) {
    const { statusCode } = await api.app.inject(request)
    t.equal(statusCode, 401, `${request.method} ${request.url}`)
  }
})

t.test('the probes and the document ask for none', async t => {
  for (const url of ['/healthz', '/readyz', '/api/openapi.json']) {
    t.equal((await api.app.inject(url)).statusCode, 200, url)
  }
})
