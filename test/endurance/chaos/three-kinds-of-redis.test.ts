/** Things break while callbacks come, on a Cluster, behind Sentinel and on one Redis: nothing acknowledged is lost, nothing is stuck. */
import { join } from 'node:path'
import t from '../../support/tap.js'
import { runProgram } from '../../support/program.js'

t.test('npm run chaos -- --seeds 6..8 --seconds 10 finds no promise broken', async t => {
  const results = join(t.testdir(), 'chaos.ndjson')
  const { code, output } = await runProgram('chaos/main.ts', ['--seeds', '6..8', '--seconds', '10', '--results', results])
  t.equal(code, 0, output)
})
