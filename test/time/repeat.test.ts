/** Work in the background: one run at a time, whatever fails, until it is stopped. */
import t from '../support/tap.js'
import { repeat } from '../../src/time/repeat.js'
import { until } from '../support/until.js'

t.test('runs follow one another, and an error ends none but its own', async t => {
  const errors: unknown[] = []
  let [runs, underWay, most] = [0, 0, 0]
  const repeated = repeat(async () => {
    most = Math.max(most, ++underWay)
    await new Promise(resolve => { setImmediate(resolve) })
    underWay--
    if (++runs === 2) throw new Error('the second')
  }, { everyMs: () => 1, failed: error => { errors.push(error) } })
  await until('it has gone on', () => runs >= 4)
  await repeated.stop()
  t.match(errors, [{ message: 'the second' }])
  t.equal(errors.length, 1)
  t.equal(most, 1)
})

t.test('the first run comes after the wait, or now', async t => {
  let [later, now] = [0, 0]
  const one = repeat(async () => { later++ }, { everyMs: () => 60_000, failed: t.error })
  const other = repeat(async () => { now++ }, { everyMs: () => 60_000, failed: t.error, now: true })
  await until('one has run', () => now === 1)
  t.equal(later, 0)
  one.wake()
  await until('woken, it runs', () => later === 1)
  await Promise.all([one.stop(), other.stop()])
})

t.test('woken during a run, it runs once more after it', async t => {
  let runs = 0
  let end = (): void => {}
  const repeated = repeat(async () => {
    runs++
    await new Promise<void>(resolve => { end = resolve })
  }, { everyMs: () => 60_000, failed: t.error, now: true })
  repeated.wake()
  repeated.wake()
  end()
  await until('the second run', () => runs === 2)
  const stopped = repeated.stop()
  let isStopped = false
  void stopped.then(() => { isStopped = true })
  await new Promise(resolve => { setImmediate(resolve) })
  t.notOk(isStopped, 'a stop waits for the run under way')
  end()
  await stopped
  t.equal(runs, 2)
})
