/** Which of several replicas run another configuration than the rest. */
import t from '../support/tap.js'
import { differing } from '../../src/model/replica.js'

/** Each replica as its fingerprint and since when it runs it. */
const TABLE: ReadonlyArray<[says: string, replicas: Array<[fingerprint: string, configuredAt: number]>, differ: number[]]> = [
  ['none: nothing differs', [], []],
  ['one: nothing differs', [['a', 1]], []],
  ['all alike: nothing differs', [['a', 1], ['a', 9], ['a', 2]], []],
  ['one of three: it differs, although it is the newest', [['a', 1], ['b', 9], ['a', 2]], [1]],
  ['one of three: it differs, although it is the oldest', [['a', 5], ['b', 1], ['a', 6]], [1]],
  ['two, one each: the older differs', [['b', 9], ['a', 1]], [1]],
  ['two, one each: the older differs, whichever comes first', [['a', 1], ['b', 9]], [0]],
  ['two of each: those without the newest differ', [['a', 1], ['b', 2], ['a', 3], ['b', 1]], [1, 3]],
  ['all different: all but the newest differ', [['a', 1], ['b', 3], ['c', 2]], [0, 2]]
]
for (const [says, replicas, differ] of TABLE) {
  t.test(says, async t => {
    const given = replicas.map(([fingerprint, configuredAt]) => ({ fingerprint, configuredAt }))
    t.strictSame(differing(given).map(one => given.indexOf(one)), differ)
  })
}
