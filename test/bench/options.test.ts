/**
 * The command line of the bench.
 */
import t from '../support/tap.js'
import { MEASURES } from '../../bench/measures.js'
import { readOptions, USAGE } from '../../bench/options.js'

t.test('every measure can be run alone, and the help names it', async t => {
  for (const { name } of MEASURES) {
    t.strictSame(readOptions(['--only', name]).only, [name])
    t.match(USAGE, name)
  }
})

t.test('the smoke test measures both halves and compares them', async t => {
  t.match(readOptions(['--smoke']), { mode: 'smoke', only: ['accepting', 'delivering'], baseline: 'compare' })
  t.match(readOptions(['--smoke', '--write-baseline']), { mode: 'smoke', baseline: 'write' })
  t.match(readOptions([]), { mode: 'full', baseline: null })
})

const REFUSED: ReadonlyArray<[args: string[], sentence: RegExp]> = [
  [['--only', 'accepting,nonsense'], /no measure nonsense/],
  [['--write-baseline'], /goes with --smoke/],
  [['--smoke', '--only', 'accepting'], /--only does not go with it/],
  [['--runs', '0'], /from 1 to 100/]
]
for (const [args, sentence] of REFUSED) {
  t.test(`${args.join(' ')} is refused`, async t => { t.throws(() => readOptions(args), sentence) })
}
