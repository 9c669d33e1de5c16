import t from '../support/tap.js'
import { didYouMean } from '../../src/admin/did-you-mean.js'

const KNOWN = ['taskId', 'type', 'status', 'state', 'subscriber', 'since', 'until']

const TABLE: ReadonlyArray<[word: string, meant: string | null]> = [
  ['task-id', 'taskId'],
  ['task_id', 'taskId'],
  ['TASKID', 'taskId'],
  ['subscribers', 'subscriber'],
  ['subscirber', 'subscriber'],
  ['stat', 'state'],
  ['untill', 'until'],
  ['x', null],
  ['colour', null],
  ['', null],
  ['a'.repeat(10_000), null]
]
for (const [word, meant] of TABLE) {
  t.test(`"${word.slice(0, 20)}" ${meant === null ? 'is like nothing known' : `is taken for ${meant}`}`, async t => {
    t.equal(didYouMean(word, KNOWN), meant === null ? '' : ` Did you mean ${meant}?`)
  })
}
