import { once } from 'node:events'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import t from '../support/tap.js'
import { OPERATOR, startApi, type Api } from './api.js'

let api: Api
let port: number

t.before(async () => {
  api = await startApi()
  await api.app.listen({ host: '127.0.0.1', port: 0 })
  port = (api.app.server.address() as AddressInfo).port
})
t.teardown(async () => { await api.close() })

/** Sends bytes and reads until the server closes the connection. */
async function speak (bytes: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port })
  await once(socket, 'connect')
  socket.write(bytes)
  return await text(socket)
}

t.test('the API is reached through a real socket', async t => {
  const id = await api.accept({ taskId: 'task-1' })
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/events/${id}`, { headers: { authorization: `Bearer ${OPERATOR}` } })
  t.equal(response.status, 200)
  t.match(await response.json(), { id, taskId: 'task-1' })
  const refused = await fetch(`http://127.0.0.1:${port}/api/v1/events/${id}`)
  t.equal(refused.status, 401)
  t.equal(refused.headers.get('content-type'), 'application/problem+json')
  await refused.text()
})

t.test('a HEAD has the headers of the GET and no body', async t => {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/events`, { method: 'HEAD', headers: { authorization: `Bearer ${OPERATOR}` } })
  t.equal(response.status, 200)
  t.equal(await response.text(), '')
})

const HOSTS: ReadonlyArray<[host: string, status: number]> = [
  ['localhost', 200], ['LOCALHOST:8081', 200], ['127.0.0.1', 200], ['10.1.2.3:80', 200], ['[::1]:8081', 200],
  ['evil.example', 403], ['evil.example:8081', 403], ['localhost.evil.example', 403], ['127.0.0.1.evil.example', 403], ['[evil]', 403]
]
for (const [host, status] of HOSTS) {
  t.test(`on loopback, a request for ${host} is ${status}: no web page gets in by giving its name our address`, async t => {
    for (const path of ['/healthz', '/readyz', '/api/v1/events', '/nothing']) {
      const answer = await speak(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${OPERATOR}\r\nconnection: close\r\n\r\n`)
      t.match(answer, new RegExp(`^HTTP/1\\.1 ${path === '/nothing' && status === 200 ? 404 : status} `), path)
      if (status === 403) t.match(answer, 'application/problem+json')
    }
  })
}

t.test('a listener that others reach is asked for by any name', async t => {
  const open = await startApi()
  t.teardown(open.close)
  await open.app.listen({ host: '0.0.0.0', port: 0 })
  const socket = connect({ host: '127.0.0.1', port: (open.app.server.address() as AddressInfo).port })
  socket.write('GET /healthz HTTP/1.1\r\nhost: relay.internal\r\nconnection: close\r\n\r\n')
  t.match(await text(socket), /^HTTP\/1\.1 200 /)
})

t.test('a body that is announced too large is refused before it is sent', async t => {
  const answer = await speak('POST /api/v1/replays HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ' + OPERATOR +
    '\r\ncontent-type: application/json\r\ncontent-length: 99999999\r\n\r\n{')
  t.match(answer, /^HTTP\/1\.1 413 /)
  t.match(answer, 'application/problem+json')
})

/** What is no HTTP. */
const BROKEN: ReadonlyArray<[says: string, bytes: string, status: number]> = [
  ['a line of noise', 'hello\r\n\r\n', 400],
  ['headers without end', `GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}`, 431]
]
for (const [says, bytes, status] of BROKEN) {
  t.test(`${says} is ${status}, a problem, and the end of the connection`, async t => {
    const answer = await speak(bytes)
    t.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `))
    t.match(answer, 'content-type: application/problem+json')
    t.match(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))), { status })
  })
}

t.test('a connection cannot be held open by a slow request', async t => {
  const { server } = api.app
  t.equal(server.headersTimeout, 5_000)
  t.equal(server.requestTimeout, 9_000)
  t.equal(server.keepAliveTimeout, 75_000)
})
