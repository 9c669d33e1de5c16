/**
 * Ends a client of ioredis wholly. The driver's own end leaves two kinds of
 * caller to wait for ever: between two tries to reconnect it never comes, and
 * commands that wait to be sent again are forgotten while a connection greets.
 */
import type { RedisClient } from './script.js'

/** How long a connection may take to say goodbye, milliseconds. */
export const GOODBYE_MS = 300

/** What the driver does at its own end, and where it keeps what is to be sent again. */
interface Driver {
  emit: (event: 'end') => boolean
  flushQueue: (error: Error) => void
  prevCommandQueue?: { length: number, shift: () => { command: { reject: (error: Error) => void } } } | null
}

/** Closes the connection, or gives up the next try for one. What waits on the client fails. */
export async function endClient (client: RedisClient): Promise<void> {
  const ended = new Promise<void>(resolve => {
    client.once('end', resolve)
    setTimeout(resolve, GOODBYE_MS).unref()
  })
  const waiting = client.status === 'ready' || client.status === 'connect' || client.status === 'connecting'
  client.disconnect()
  if (waiting) await ended
  const driver = client as unknown as Driver
  const closed = new Error('Connection is closed.')
  if (client.status !== 'end') {
    client.status = 'end'
    driver.emit('end')
    driver.flushQueue(closed)
  }
  const { prevCommandQueue: unsent } = driver
  while (unsent != null && unsent.length > 0) unsent.shift().command.reject(closed)
}
