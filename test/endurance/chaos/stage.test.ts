/** The gateways of a chaos run: each is one process at a time, and none outlives the run. */
import { execFileSync } from 'node:child_process'
import t from '../../support/tap.js'
import { openStage } from '../../../chaos/stage.js'

/** The gateways that this process has started and that live. */
function living (): number {
  return execFileSync('ps', ['-A', '-o', 'ppid=,args=']).toString().split('\n')
    .filter(line => Number(/^ *(\d+) /.exec(line)?.[1]) === process.pid && line.includes('main.js start')).length
}

t.test('two faults of one gateway that end at once start it once; one that is ended while it starts is gone', async t => {
  const stage = await openStage('redis')
  t.equal(living(), 3)
  const [first] = stage.gateways
  await first!.end('kill')
  await Promise.all([first!.start(), first!.start()])
  t.equal(living(), 3)

  await first!.end('kill')
  const starting = first!.start()
  await first!.end('kill')
  await starting
  t.equal(first!.process(), null)
  t.equal(living(), 2)

  void first!.start()
  await stage.close()
  t.equal(living(), 0)
  t.strictSame(stage.noticed, [])
})
