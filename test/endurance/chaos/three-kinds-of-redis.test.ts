/** Things break while callbacks come, on a Cluster, behind Sentinel, on one Redis and on one that is kept full: nothing acknowledged is lost, nothing is stuck. */
import { join } from 'node:path'
import t from '../../support/tap.js'
import { runProgram } from '../../support/program.js'

for (const args of [['--seeds', '6..8'], ['--seeds', '8..8', '--full']]) {
  t.test(`npm run chaos -- ${args.join(' ')} --seconds 10 finds no promise broken`, async t => {
    const results = join(t.testdir(), 'chaos.ndjson')
    const { code, output } = await runProgram('chaos/main.ts', [...args, '--seconds', '10', '--results', results])
    t.equal(code, 0, output)
  })
}
