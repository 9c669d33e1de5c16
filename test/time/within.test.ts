import t from '../support/tap.js'
import { within } from '../../src/time/within.js'

t.test('what comes in time is handed on, and so is its error', async t => {
  t.equal(await within(60_000, Promise.resolve('in time'), () => 'late'), 'in time')
  await t.rejects(within(60_000, Promise.reject(new Error('its own')), () => 'late'), { message: 'its own' })
})

t.test('what takes longer is late, and its error is nobody\'s surprise', async t => {
  let reject = (_: Error): void => {}
  const slow = new Promise<string>((_resolve, _reject) => { reject = _reject })
  t.equal(await within(1, slow, () => 'late'), 'late')
  await t.rejects(within(1, slow, () => { throw new Error('too late') }), { message: 'too late' })
  reject(new Error('unheard'))
  await new Promise(resolve => { setImmediate(resolve) })
})

t.test('a promise that resolves with undefined is in time', async t => {
  t.equal(await within(60_000, Promise.resolve(undefined), () => 'late'), undefined)
})
