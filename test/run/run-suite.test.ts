/** A test that ends ends everything, and one that does not end is ended. */
import { readFileSync } from 'node:fs'
import t from '../support/tap.js'
import { until } from '../support/until.js'
import { runSuite, type SuiteResult } from './run-suite.js'

async function run (name: string): Promise<SuiteResult> {
  const suite = { tier: 'short', name: `fixture ${name}`, files: [`test/run/fixtures/${name}.ts`], isAlone: false } as const
  return await runSuite({ ...suite, files: [...suite.files] }, { signal: new AbortController().signal })
}

function isAlive (pid: number): boolean {
  try { return process.kill(pid, 0) } catch { return false }
}

t.test('a process that a suite leaves running fails it, by name, and is ended', async t => {
  const { count } = await run('leaves-a-process')
  t.equal(count.passed, 1)
  t.match(count.failed, [/^fixture leaves-a-process left a process running: \d+ sleep 1000$/])
  const pid = Number(/running: (\d+)/.exec(count.failed[0]!)![1])
  await until('it is gone', () => !isAlive(pid))
})

t.test('what a test makes after its end is ended at once: no process is left, the next test is well, the suite ends by itself', async t => {
  const { count, noise } = await run('goes-on-after-its-end')
  t.equal(count.passed, 1, 'the next test')
  t.notMatch(count.failed.join(), /left a process/)
  t.equal(noise, '')
})

t.test('a wait in vain says for what it waited', async t => {
  const { count, tapFile } = await run('waits-in-vain')
  t.equal(count.failed.length, 1)
  t.match(readFileSync(tapFile, 'utf8'), /waited in vain for: the moon is green/)
})
