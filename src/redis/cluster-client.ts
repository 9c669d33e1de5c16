/**
 * The driver's client of a cluster, with one difference: it does not spin.
 *
 * When the connection that it subscribes on has ended, it opens another at
 * once, to any node: while no node answers, many thousand times a second
 * (ioredis 6.0.0). A gateway whose cluster is away would take a whole core,
 * and a gigabyte within a minute (measured).
 */
import type { Cluster } from 'ioredis'

/** Between the end of one and the beginning of the next, milliseconds. */
const AGAIN_AFTER_MS = 250

/** What the driver calls its connection for subscriptions. */
interface Ear {
  getInstance (): object | null
  onSubscriberEnd: () => void
}

/** Changes a client that was just made; returns it. */
export function calmed (client: Cluster): Cluster {
  const ear = (client as unknown as { subscriber: Ear }).subscriber
  const selectNext = ear.onSubscriberEnd
  ear.onSubscriberEnd = () => {
    const ended = ear.getInstance()
    setTimeout(() => {
      if (ear.getInstance() === ended) selectNext()
    }, AGAIN_AFTER_MS).unref()
  }
  // The queue makes copies.
  const duplicate = client.duplicate.bind(client)
  client.duplicate = ((...args: Parameters<typeof duplicate>) => calmed(duplicate(...args))) as typeof client.duplicate
  return client
}
