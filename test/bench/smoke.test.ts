/**
 * The smoke test of the bench tells a real slowdown from noise.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from '../support/tap.js'
import { fallenBelow, judge, ratiosOf, readBaseline, WATCHED, writeBaseline } from '../../bench/smoke.js'
import { resultOf, type Result } from '../../bench/result.js'

const ratio = (measure: string, runs: number[]): Result => resultOf({ measure, says: measure, unit: 'ratio', better: 'more', runs })
const documentOf = (accept: number, deliver: number): { ratios: Result[], failures: Record<string, string> } =>
  ({ ratios: [ratio('accept.of-bare', [accept]), ratio('deliver.of-bare', [deliver]), ratio('other', [9])], failures: {} })

const BASELINE = { 'accept.of-bare': 1.5, 'deliver.of-bare': 0.9 }

const TABLE: ReadonlyArray<[says: string, accept: number, deliver: number, fallen: RegExp[]]> = [
  ['the same is fine', 1.5, 0.9, []],
  ['faster is fine', 3, 2, []],
  ['a fifth slower is noise', 1.2, 0.72, []],
  ['accepting at half is a slowdown', 0.75, 0.9, [/accept\.of-bare is 0\.75, more than a third below 1\.5/]],
  ['delivering at half is a slowdown', 1.5, 0.45, [/deliver\.of-bare is 0\.45/]],
  ['both are told', 0.5, 0.5, [/accept/, /deliver/]]
]
for (const [says, accept, deliver, fallen] of TABLE) {
  t.test(says, async t => {
    const found = fallenBelow(BASELINE, documentOf(accept, deliver))
    t.equal(found.length, fallen.length)
    found.forEach((sentence, at) => { t.match(sentence, fallen[at]!) })
  })
}

t.test('what was not measured has not passed', async t => {
  t.match(fallenBelow(BASELINE, { ratios: [ratio('accept.of-bare', [1.5])], failures: { delivering: 'not done after 90 s' } }),
    [/delivering did not come to an end: not done/, /deliver\.of-bare is not measured/])
  t.match(fallenBelow({}, documentOf(1, 1)), [/not in bench\/baseline\.json/, /not in/])
})

t.test('the median of the runs counts, and nothing else of a document', async t => {
  t.strictSame(ratiosOf({ ratios: [ratio('deliver.of-bare', [0.1, 0.904, 5]), ratio('other', [1])] }), { 'deliver.of-bare': 0.9 })
})

/** Gives one document after the other. */
function runsOf (...documents: Array<ReturnType<typeof documentOf>>): { run: () => Promise<ReturnType<typeof documentOf>>, left: () => number } {
  return { run: async () => documents.shift()!, left: () => documents.length }
}

t.test('a run without a slowdown is enough', async t => {
  const { run, left } = runsOf(documentOf(1.5, 0.9), documentOf(0.1, 0.1))
  t.strictSame((await judge(BASELINE, run)).fallen, [])
  t.equal(left(), 1)
})

t.test('a slowdown that is gone the second time was chance', async t => {
  const { run } = runsOf(documentOf(0.7, 0.9), documentOf(1.4, 0.9))
  t.strictSame((await judge(BASELINE, run)).fallen, [])
})

t.test('a slowdown that is there both times fails, and there is no third run', async t => {
  const { run, left } = runsOf(documentOf(0.7, 0.9), documentOf(0.8, 0.9), documentOf(1.5, 0.9))
  const { document, fallen } = await judge(BASELINE, run)
  t.match(fallen, [/accept\.of-bare is 0\.8, more than a third below 1\.5/])
  t.strictSame(ratiosOf(document), { 'accept.of-bare': 0.8, 'deliver.of-bare': 0.9 })
  t.equal(left(), 1)
})

t.test('a run that found everything becomes the baseline, another does not', async t => {
  const file = join(t.testdir(), 'baseline.json')
  t.throws(() => { writeBaseline({ ratios: [ratio('accept.of-bare', [1.5])], failures: {} }, file) }, /deliver\.of-bare not measured/)
  t.notOk(existsSync(file))
  writeBaseline(documentOf(1.234, 0.9), file)
  t.strictSame(JSON.parse(readFileSync(file, 'utf8')), { 'accept.of-bare': 1.23, 'deliver.of-bare': 0.9 })
})

t.test('the baseline in the repository names every ratio that is watched', async t => {
  const baseline = readBaseline()
  t.strictSame(Object.keys(baseline).sort(), [...WATCHED].sort())
  for (const measure of WATCHED) t.ok(baseline[measure]! > 0)
})
