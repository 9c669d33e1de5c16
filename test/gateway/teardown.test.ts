/**
 * What was started is stopped in reverse, whatever becomes of its parts.
 */
import t from '../support/tap.js'
import { createTeardown, type Teardown } from '../../src/gateway/teardown.js'
import { createLogger } from '../../src/telemetry/log.js'

function teardown (leftMs = 5_000): { stack: Teardown, log: string[] } {
  const log: string[] = []
  const logger = createLogger({ level: 'debug', destination: { write: line => { log.push(line) } } })
  return { stack: createTeardown(logger, () => leftMs), log }
}

t.test('last started, first stopped, and each once', async t => {
  const { stack } = teardown()
  const stopped: string[] = []
  for (const name of ['redis', 'queues', 'listener']) stack.push(name, () => { stopped.push(name) })
  await Promise.all([stack.run(), stack.run()])
  t.strictSame(stopped, ['listener', 'queues', 'redis'])
})

t.test('a part that fails keeps no other from stopping', async t => {
  const { stack, log } = teardown()
  let stopped = false
  stack.push('redis', () => { stopped = true })
  stack.push('queues', async () => { throw new Error('no') })
  stack.push('listener', () => { throw new Error('never') })
  await stack.run()
  t.ok(stopped)
  t.equal(log.filter(line => line.includes('could not be stopped cleanly')).length, 2)
})

t.test('a part that never ends is left behind when the time is up', async t => {
  const { stack, log } = teardown(0)
  let stopped = false
  stack.push('redis', () => { stopped = true })
  stack.push('replays', async () => { await new Promise(() => {}) })
  await stack.run()
  t.ok(stopped)
  t.match(log.join(''), /replays.*did not stop in time/)
})
