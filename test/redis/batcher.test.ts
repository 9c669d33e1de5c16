/**
 * Calls that come together go together, and each gets its own reply.
 */
import t from '../support/tap.js'
import { createBatcher } from '../../src/redis/batcher.js'

/** A way to Redis that answers when it is told to. */
function heldBack (): { send: (calls: number[]) => Promise<string[]>, batches: number[][], answer: (error?: Error) => void } {
  const batches: number[][] = []
  const waiting: Array<(error?: Error) => void> = []
  return {
    batches,
    async send (calls) {
      batches.push(calls)
      await new Promise<void>((resolve, reject) => {
        waiting.push(error => { if (error === undefined) resolve(); else reject(error) })
      })
      return calls.map(call => `reply to ${call}`)
    },
    answer (error) { waiting.shift()?.(error) }
  }
}

/** The end of the present turn of the event loop, and of what it set off. */
async function turn (): Promise<void> {
  await new Promise<void>(resolve => { setImmediate(() => { setImmediate(resolve) }) })
}

t.test('calls of one turn go as one, in order, and each gets its own reply', async t => {
  const { send, batches, answer } = heldBack()
  const call = createBatcher({ send, atOnce: 1, most: 10 })
  const replies = Promise.all([call(1), call(2), call(3)])
  await turn()
  t.strictSame(batches, [[1, 2, 3]])
  answer()
  t.strictSame(await replies, ['reply to 1', 'reply to 2', 'reply to 3'])
})

t.test('a call goes out in the turn in which it came: nobody waits for a batch to fill', async t => {
  const { send, batches, answer } = heldBack()
  const call = createBatcher({ send, atOnce: 2, most: 10 })
  const first = call(1)
  await turn()
  const second = call(2)
  await turn()
  t.strictSame(batches, [[1], [2]])
  answer()
  answer()
  await Promise.all([first, second])
})

t.test('while as many are under way as may, calls wait, and go with the next', async t => {
  const { send, batches, answer } = heldBack()
  const call = createBatcher({ send, atOnce: 1, most: 10 })
  const replies = [call(1)]
  await turn()
  replies.push(call(2), call(3))
  await turn()
  t.strictSame(batches, [[1]])
  answer()
  await turn()
  t.strictSame(batches, [[1], [2, 3]])
  answer()
  await Promise.all(replies)
})

t.test('a batch has its most, and what is left goes behind it', async t => {
  const { send, batches, answer } = heldBack()
  const call = createBatcher({ send, atOnce: 2, most: 2 })
  const replies = Promise.all([1, 2, 3, 4, 5].map(call))
  await turn()
  t.strictSame(batches, [[1, 2], [3, 4]])
  answer()
  await turn()
  t.strictSame(batches, [[1, 2], [3, 4], [5]])
  answer()
  answer()
  await replies
})

t.test('a batch is no heavier than it may be, unless it is a single call', async t => {
  const { send, batches, answer } = heldBack()
  const call = createBatcher({ send, atOnce: 9, most: 10, weigh: call => call, heaviest: 5 })
  const replies = Promise.all([2, 3, 1, 9, 4].map(call))
  await turn()
  t.strictSame(batches, [[2, 3], [1], [9], [4]])
  batches.forEach(() => { answer() })
  await replies
})

t.test('what a batch fails with, its calls and those that wait fail with: a dead Redis is waited for once', async t => {
  const { send, batches, answer } = heldBack()
  const call = createBatcher({ send, atOnce: 1, most: 2 })
  const failing = Promise.allSettled([call(1), call(2), call(3)])
  await turn()
  answer(new Error('Redis is away'))
  t.match(await failing, Array.from({ length: 3 }, () => ({ reason: { message: 'Redis is away' } })))
  const next = call(4)
  await turn()
  t.strictSame(batches, [[1, 2], [4]])
  answer()
  t.equal(await next, 'reply to 4')
})
