/**
 * The log tells what happened and nothing else.
 */
import t from '../support/tap.js'
import type { Fact } from '../../src/model/fact.js'
import { createLogger, reportTo } from '../../src/telemetry/log.js'
import { limitLines } from '../../src/telemetry/line-limit.js'

function logTo (lines: Array<Record<string, unknown>>, level = 'trace'): ReturnType<typeof createLogger> {
  return createLogger({ level, destination: { write: line => { lines.push(JSON.parse(line) as Record<string, unknown>) } } })
}

const refused = (reason: string): Fact => ({ fact: 'callback.refused', status: 403, reason, source: '192.0.2.1' })

t.test('a fact becomes one line named after it, with its details and a level', async t => {
  const lines: Array<Record<string, unknown>> = []
  reportTo(logTo(lines))({ fact: 'delivery.cut-off', eventId: 'evt_1', subscriber: 'billing', attempt: 2 })
  t.match(lines, [{ level: 'info', msg: 'delivery.cut-off', eventId: 'evt_1', subscriber: 'billing', attempt: 2, time: /Z$/ }])
})

t.test('Redis coming back is news, not a warning', async t => {
  const lines: Array<Record<string, unknown>> = []
  const report = reportTo(logTo(lines))
  report({ fact: 'redis.state', role: 'fail-fast', state: 'lost' })
  report({ fact: 'redis.state', role: 'fail-fast', state: 'ready' })
  t.strictSame(lines.map(({ level }) => level), ['warn', 'info'])
})

t.test('events that go early are a warning, and an error when they could have been replayed', async t => {
  const lines: Array<Record<string, unknown>> = []
  const report = reportTo(logTo(lines))
  const memory = { usedBytes: 81, maxBytes: 100 }
  report({ fact: 'record.deleted-early', events: 3, failed: 0, ...memory })
  report({ fact: 'record.deleted-early', events: 3, failed: 1, ...memory })
  report({ fact: 'redis.memory', state: 'short', ...memory })
  report({ fact: 'redis.memory', state: 'enough', ...memory })
  t.strictSame(lines.map(({ level }) => level), ['warn', 'error', 'error', 'info'])
})

t.test('what a driver hangs on an error stays out of the log: commands hold bodies', async t => {
  const lines: Array<Record<string, unknown>> = []
  const error = Object.assign(new Error('OOM command not allowed'), { code: 'OOM', command: { name: 'eval', args: ['return 1', Buffer.from('SECRET')] } })
  logTo(lines).warn({ err: error }, 'a refused callback could not be stored in the quarantine')
  t.match(lines, [{ err: { name: 'Error', code: 'OOM', message: 'OOM command not allowed', stack: String } }])
  t.notMatch(JSON.stringify(lines), /SECRET|83,69,67|return 1/)
})

t.test('strangers do not fill the disk: the first of each kind in a minute, then how many there were', async t => {
  let now = 0
  const { admit } = limitLines(() => now)
  t.strictSame([admit(refused('address')), admit(refused('address')), admit(refused('not-http')), admit(refused('address'))], [0, null, 0, null])
  now = 60_000
  t.equal(admit(refused('address')), 2, 'two were not written')
  t.equal(admit(refused('address')), null)
  t.strictSame([admit(refused('content')), admit(refused('content'))], [0, 0], 'a listed sender is always heard')
})

t.test('nor where they are let in, and what they do takes nobody else\'s line', async t => {
  const { admit } = limitLines(() => 0)
  const unlisted = (reason: string): Fact => ({ ...refused(reason), unlisted: true } as Fact)
  for (const fact of [unlisted('not-http'), unlisted('path'), unlisted('content'), { fact: 'callback.unlisted', source: '192.0.2.1' }] satisfies Fact[]) {
    t.strictSame([admit(fact), admit(fact)], [0, null], JSON.stringify(fact))
  }
  t.equal(admit(refused('not-http')), 0)
  t.equal(admit({ fact: 'accept.unavailable', reason: 'away' }), 0)
})

t.test('who tries tokens does not fill the disk either', async t => {
  const { admit } = limitLines(() => 0)
  const wrong: Fact = { fact: 'admin.refused', source: '192.0.2.1', why: 'wrong-token' }
  t.strictSame([admit(wrong), admit(wrong), admit({ ...wrong, why: 'must-wait' }), admit(wrong)], [0, null, 0, null])
})

t.test('a line is seen as what it is: what is invisible in it is written out, and means the same', async t => {
  let written = ''
  const logger = createLogger({ level: 'info', destination: { write: line => { written += line } } })
  const taskId = 'a\u202eb\u2066c\u2028d\u200be\ufefff\u061cg\u{e0041}h\u009bi\u00e9'
  reportTo(logger)({ fact: 'event.duplicate', eventId: 'evt_1', taskId, status: 1 })
  t.notMatch(written.trimEnd(), /[\p{Cf}\p{Zl}\p{Zp}\p{Cc}]/u)
  t.match(written, 'a\\u202eb')
  t.equal((JSON.parse(written) as { taskId: string }).taskId, taskId)
})

t.test('the same trouble of any queue is told once a minute, another at once', async t => {
  let now = 0
  const { admit } = limitLines(() => now)
  const trouble = (error: string, subscriber: string | null = null): Fact => ({ fact: 'queue.trouble', subscriber, error })
  t.strictSame([admit(trouble('ECONNREFUSED 127.0.0.1:6379')), admit(trouble('ECONNREFUSED 127.0.0.1:6380', 'a')), admit(trouble('a bug of ours', 'a'))], [0, null, 0])
  now = 60_000
  t.equal(admit(trouble('ECONNREFUSED 127.0.0.1:6379')), 1)
  const letters = (n: number): string => n.toString(26).replace(/\d/g, digit => 'qrstuvwxyz'[Number(digit)]!)
  for (let n = 0; n < 2_000; n++) admit(trouble(`error ${letters(n)}`))
  t.equal(admit(trouble('ECONNREFUSED 127.0.0.1:6379')), 0, 'what is remembered has an end')
})

t.test('an outage is told once a minute, not once for each callback', async t => {
  let now = 0
  const { admit } = limitLines(() => now)
  const unavailable: Fact = { fact: 'accept.unavailable', reason: 'away' }
  t.strictSame([admit(unavailable), admit(unavailable), admit(unavailable), admit(refused('unavailable'))], [0, null, null, 0])
  now = 60_000
  t.equal(admit(unavailable), 2)
})
