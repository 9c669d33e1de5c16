/**
 * The driver's client of a cluster, with one difference: no busy loop.
 *
 * When its subscription connection has ended, the driver opens another at once,
 * to any node: while no node answers, many thousand times a second (ioredis
 * 6.0.0). If its cluster is away, a gateway would use a whole core, and a
 * gigabyte within a minute (measured).
 */
import type { Cluster } from 'ioredis'

/** Between the end of one connection and the beginning of the next, milliseconds. */
const AGAIN_AFTER_MS = 250

/** The driver's name for its subscription connection. */
interface Ear {
  getInstance (): object | null
  onSubscriberEnd: () => void
}

/** Changes a new client; returns it. */
export function calmed (client: Cluster): Cluster {
  const ear = (client as unknown as { subscriber: Ear }).subscriber
  const selectNext = ear.onSubscriberEnd
  ear.onSubscriberEnd = () => {
    const ended = ear.getInstance()
    setTimeout(() => {
      if (ear.getInstance() === ended) selectNext()
    }, AGAIN_AFTER_MS).unref()
  }
  // The queue duplicates it.
  const duplicate = client.duplicate.bind(client)
  client.duplicate = ((...args: Parameters<typeof duplicate>) => calmed(duplicate(...args))) as typeof client.duplicate
  return client
}
