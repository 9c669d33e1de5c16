/** The bench as a test: neither half of the journey has become a third slower, beside its ceiling in the same run. */
import t from '../support/tap.js'
import { runProgram } from '../support/program.js'

t.test('npm run bench -- --smoke calls no ratio worse', async t => {
  const { code, output } = await runProgram('bench/main.ts', ['--smoke'])
  t.comment(output)
  t.equal(code, 0, output)
})
