/**
 * A way to Redis that breaks where the test says: before a message of the
 * client is passed on, or after it was carried out but before it is answered.
 *
 * Counts messages while it is armed, and cuts once.
 */
import { once } from 'node:events'
import { createConnection, createServer, type Socket } from 'node:net'

export interface CuttingProxy {
  /** Its unix socket. */
  path: string
  /** Cuts at the n-th message from now, from 0. */
  arm (n: number, when: 'before it is sent' | 'before it is answered'): void
  /** Whether it has cut since. */
  hasCut (): boolean
  close (): Promise<void>
}

/** @param target  the unix socket of the real server */
export async function startCuttingProxy (path: string, target: string): Promise<CuttingProxy> {
  const sockets = new Set<Socket>()
  let cutAt = -1
  let when: Parameters<CuttingProxy['arm']>[1] = 'before it is sent'
  let cut = false

  const server = createServer(client => {
    const redis = createConnection(target)
    let deaf = false
    for (const socket of [client, redis]) {
      sockets.add(socket)
      socket.on('error', () => {}).on('close', () => {
        sockets.delete(socket)
        client.destroy()
        redis.destroy()
      })
    }
    client.on('data', message => {
      const now = cutAt-- === 0
      cut ||= now
      if (now && when === 'before it is sent') client.destroy()
      else {
        deaf ||= now
        redis.write(message)
      }
    })
    redis.on('data', answer => {
      if (deaf) client.destroy()
      else client.write(answer)
    })
  })
  server.listen(path)
  await once(server, 'listening')
  return {
    path,
    arm (n, then) {
      cutAt = n
      when = then
      cut = false
    },
    hasCut: () => cut,
    async close () {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    }
  }
}
