/**
 * Ends a client of ioredis completely. The driver's own end lets two kinds of
 * callers wait without a limit: between two tries to reconnect it never comes, and
 * commands that wait to be sent again are lost while a connection is set up.
 */
import type { RedisClient } from './script.js'

/** Time limit for an orderly close, milliseconds. */
export const GOODBYE_MS = 300

/** The driver's own end, and its list of commands to send again. */
interface Driver {
  emit: (event: 'end') => boolean
  flushQueue: (error: Error) => void
  prevCommandQueue?: { length: number, shift: () => { command: { reject: (error: Error) => void } } } | null
}

/** Closes the connection, or cancels the next try. Commands that wait on the client fail. */
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
