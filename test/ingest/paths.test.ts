/**
 * One path is served, exactly as it is written; the query is nobody's business.
 */
import t from '../support/tap.js'
import { CALLBACK, createEndpoint, listen, openWire, PATH } from './endpoint.js'

const TARGETS: ReadonlyArray<[says: string, target: string, status: number]> = [
  ['the path', PATH, 200],
  ['a query', `${PATH}?a=b&c=%00`, 200],
  ['an empty query', `${PATH}?`, 200],
  ['a query that no parser likes', `${PATH}?%zz=%`, 200],
  ['a percent-encoded letter', '/webhooks/%66otor', 404],
  ['a percent-encoded slash', '/webhooks%2ffotor', 404],
  ['another case', '/webhooks/Fotor', 404],
  ['a slash at the end', `${PATH}/`, 200],
  ['a slash at the end, and a query', `${PATH}/?a=b`, 200],
  ['two slashes at the end', `${PATH}//`, 404],
  ['two slashes', '//webhooks/fotor', 404],
  ['two slashes within', '/webhooks//fotor', 404],
  ['a step back', '/x/../webhooks/fotor', 404],
  ['an encoded step back', '/x/%2e%2e/webhooks/fotor', 404],
  ['a dot', '/./webhooks/fotor', 404],
  ['a semicolon', `${PATH};a=b`, 404],
  ['a fragment', `${PATH}#x`, 404],
  ['a broken escape', '/%', 404],
  ['a NUL', `${PATH}%00`, 404],
  ['a whole URL', `http://relay${PATH}`, 200],
  ['a whole URL with a port and a query', `HTTPS://relay:8443${PATH}?a=b`, 200],
  ['a whole URL of another path', 'http://relay/x', 404],
  ['a whole URL of no path', 'http://relay?a=b', 404],
  ['an asterisk', '*', 404],
  ['the root, where the router has its one route', '/', 404],
  ['nothing like it', '/.env', 404],
  ['a long one', '/' + 'a'.repeat(10_000), 404]
]
for (const [says, target, status] of TARGETS) {
  t.test(`${says} is answered ${status}`, async t => {
    const endpoint = createEndpoint()
    const wire = await openWire(t, await listen(t, endpoint.app))
    wire.send(`POST ${target} HTTP/1.1\r\nhost: relay\r\nconnection: close\r\ncontent-length: ${CALLBACK.length}\r\n\r\n${CALLBACK}`)
    t.match(await wire.closed, new RegExp(`^HTTP/1\\.1 ${status} `))
    t.notMatch(JSON.stringify(endpoint.facts), /webhooks|env|aaaa/i, 'no path is reported')
  })
}

t.test('a secret segment is part of the path, and is never told', async t => {
  const endpoint = createEndpoint({ path: `${PATH}/s3cret` })
  const wire = await openWire(t, await listen(t, endpoint.app))
  wire.send(`POST ${PATH}/s3cres?s3cret HTTP/1.1\r\nhost: relay\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
  t.match(await wire.closed, /^HTTP\/1\.1 404 /)
  t.notMatch(wire.text() + JSON.stringify(endpoint.facts), /s3c/)
})

t.test('a path that is configured with a slash at its end is served without it as well', async t => {
  const endpoint = createEndpoint({ path: `${PATH}/` })
  for (const url of [PATH, `${PATH}/`]) t.equal((await endpoint.app.inject({ method: 'POST', url, payload: CALLBACK })).statusCode, 200, url)
})

t.test('headers that steer other servers steer nothing here', async t => {
  const endpoint = createEndpoint()
  const wire = await openWire(t, await listen(t, endpoint.app))
  wire.send([
    `POST ${PATH} HTTP/1.0`, 'accept-version: 9', 'x-http-method-override: GET', 'x-original-url: /x', 'expect: miracles',
    'upgrade: h2c', `content-length: ${CALLBACK.length}`, '', CALLBACK
  ].join('\r\n'))
  t.match(await wire.closed, /^HTTP\/1\.1 200 /)
  t.equal(endpoint.arrivals.length, 1)
})
