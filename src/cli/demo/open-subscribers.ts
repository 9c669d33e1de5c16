/**
 * The audience of the demo: a server for each subscriber in its configuration, and
 * a line of output for each delivery.
 */
import type { Subscriber } from '../../model/subscriber.js'
import { shortPath } from '../config-file.js'
import { CommandFailure } from '../failure.js'
import { plainText } from '../plain-text.js'
import type { Terminal } from '../terminal.js'
import { startDemoSubscriber, type Received } from './subscriber.js'

export interface Audience {
  /** All deliveries, in order. */
  readonly received: readonly Received[]
  /** Stops all of them. */
  close (): Promise<void>
}

/**
 * Opens them at the addresses of the configuration.
 *
 * @throws CommandFailure naming the key to change if a port is in use
 */
export async function openSubscribers (
  subscribers: readonly Subscriber[], { configFile, terminal }: { configFile: string, terminal: Terminal }
): Promise<Audience> {
  const received: Received[] = []
  const closers: Array<() => Promise<void>> = []
  const audience: Audience = {
    received,
    async close () { await Promise.all(closers.map(async close => { await close() })) }
  }
  for (const [index, { name, url, secrets }] of subscribers.entries()) {
    const onReceived = (delivery: Received): void => {
      received.push(delivery)
      terminal.out(sentenceFor(name, delivery, terminal))
    }
    try {
      closers.push(await startDemoSubscriber({ url: new URL(url), secrets, onReceived }))
    } catch (error) {
      await audience.close()
      throw unopened(error, new URL(url).host, { key: `subscribers[${index}].url`, configFile })
    }
  }
  return audience
}

function sentenceFor (name: string, { id, taskId, type, attempt, trust }: Received, { paint }: Terminal): string {
  const signature = trust === 'good' ? paint.green('signature good') : paint.red(`refused: ${trust}`)
  return `  ${paint.cyan('←')} subscriber ${name} got ${plainText(`${id}: ${type}, task ${taskId}`)}, attempt ${attempt}, ${signature}`
}

function unopened (error: unknown, host: string, { key, configFile }: { key: string, configFile: string }): CommandFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'
  const why = code === 'EADDRINUSE' ? 'is in use by another process' : `cannot be opened for listening (${code})`
  return new CommandFailure(`${host} ${why}: free it, or change ${key} in ${shortPath(configFile)}`, {
    nextSteps: ['to keep that file as it is, change a copy and run: fotor-relay demo --config FILE'], cause: error
  })
}
