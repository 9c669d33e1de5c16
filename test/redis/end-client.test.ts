/** What waits on a client that is ended fails, whatever the client is doing then. */
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Redis } from 'ioredis'
import t from '../support/tap.js'
import { endClient } from '../../src/redis/end-client.js'
import { startRedis } from '../support/redis.js'

/** Errors on the way are none of these. */
async function seen (client: Redis, event: 'connect' | 'reconnecting' | 'end'): Promise<void> {
  if (client.status !== event) await new Promise<void>(resolve => { client.once(event, () => { resolve() }) })
}

t.test('ended between two tries, what waits fails, and the end is told', async t => {
  const server = await startRedis()
  t.teardown(async () => { await server.close() })
  const client = server.client()
  await client.ping()
  await server.kill()
  const refused = t.rejects(client.ping(), { message: 'Connection is closed.' })
  await seen(client, 'reconnecting')
  const told = seen(client, 'end')
  await endClient(client)
  await Promise.all([refused, told])
  t.equal(client.status, 'end')
})

t.test('ended while a connection greets, what was to be sent again fails', async t => {
  const server = await startRedis()
  t.teardown(async () => { await server.close() })
  const client = server.client()
  await client.ping()
  server.process.kill('SIGSTOP')
  const refused = t.rejects(client.get('unanswered'), { message: 'Connection is closed.' })
  const greeting = seen(client, 'connect')
  rmSync(server.path)
  const silent = createServer(socket => {
    socket.on('error', () => {})
    t.teardown(() => { socket.destroy() })
  }).listen(server.path)
  t.teardown(() => { silent.close() })
  await server.kill()
  await greeting
  await endClient(client)
  await refused
  t.equal(client.status, 'end')
})
