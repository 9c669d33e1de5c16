/** Paths to fields: what is one, and what it leads to. */
import t from '../support/tap.js'
import { fieldTreeOf, isFieldPath } from '../../src/model/field-path.js'

const TABLE: ReadonlyArray<[path: string, isOne: boolean]> = [
  ['resultUrl', true],
  ['avatarResult[].templateId', true],
  ['avatarResult[].images[].url', true],
  ['a[][].b', true],
  ['a[]', true],
  ['größe.Wert 2', true],
  ['a'.repeat(256), true],
  ['a'.repeat(257), false],
  ['', false],
  ['.a', false],
  ['a.', false],
  ['a..b', false],
  ['[]', false],
  ['[].a', false],
  ['a[0].b', false],
  ['a[.b', false],
  ['a].b', false],
  ['a[]b', false],
  ['a.*.b', false],
  ['$.a', false],
  ['$a', true]
]
for (const [path, isOne] of TABLE) {
  t.test(`${path.slice(0, 40)} is ${isOne ? 'a' : 'no'} path`, async t => { t.equal(isFieldPath(path), isOne) })
}

t.test('paths that begin alike are walked together', async t => {
  const tree = fieldTreeOf(['a', 'a[].b', 'a[].c', 'a[][]'])
  const a = tree.names.get('a')!
  t.equal(a.end, 0)
  t.strictSame([...a.each!.names].map(([name, { end }]) => [name, end]), [['b', 1], ['c', 2]])
  t.equal(a.each!.end, null)
  t.equal(a.each!.each!.end, 3)
  t.strictSame([...tree.names.keys()], ['a'])
})
