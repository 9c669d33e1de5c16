/**
 * What `.ci/run` makes of its steps: whatever fails counts, the tests run all
 * the same, and its last line is always a count. The script is the real one;
 * the steps that it calls are stand-ins, which do as each test says.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import t, { type Test } from '../support/tap.js'

const SCRIPT = resolve(import.meta.dirname, '../../.ci/run')

interface Steps {
  /** What each does, as shell. */
  lint?: string
  typecheck?: string
  tests?: string
  /** As JavaScript. */
  setup?: string
}

async function runWith (t: Test, { lint = 'true', typecheck = 'true', tests = 'echo 3 passed, 0 failed', setup = '' }: Steps): Promise<{ code: number | null, lines: string[] }> {
  const dir = mkdtempSync(join(tmpdir(), 'ci-'))
  t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })
  for (const folder of ['.ci', 'build', 'bin']) mkdirSync(join(dir, folder))
  cpSync(SCRIPT, join(dir, '.ci/run'))
  writeFileSync(join(dir, 'build/setup.cjs'), setup)
  writeFileSync(join(dir, 'bin/npm'), `#!/bin/sh
case "$*" in
  'run lint') ${lint} ;;
  'run typecheck') ${typecheck} ;;
  'run test:all') ${tests} ;;
  --version) echo 10.0.0 ;;
  *) echo "nobody should call: npm $*"; exit 1 ;;
esac
`)
  chmodSync(join(dir, 'bin/npm'), 0o755)
  const env = { PATH: [join(dir, 'bin'), process.env['PATH']].join(delimiter), RELAY_REDIS_BIN: process.execPath }
  const child = spawn('bash', [join(dir, '.ci/run')], { env })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { out += text })
  child.stderr.resume()
  const [code] = await once(child, 'close') as [number | null]
  return { code, lines: out.trimEnd().split('\n') }
}

const CASES: ReadonlyArray<[says: string, steps: Steps, code: number, last: string, told?: string]> = [
  ['all is well: the count of the tests, and 0', {}, 0, '3 passed, 0 failed'],
  ['a lint that fails is one failure, and the tests run', { lint: 'exit 1' }, 1, '3 passed, 1 failed', 'failed: npm run lint'],
  ['so is a typecheck that fails, and what it said is shown', { typecheck: 'echo a fault; exit 2' }, 1, '3 passed, 1 failed', 'a fault'],
  ['both are two, beside those of the tests', { lint: 'exit 1', typecheck: 'exit 1', tests: 'echo 3 passed, 4 failed; exit 1' }, 1, '3 passed, 6 failed'],
  ['tests that end without a count', { tests: 'echo 12 passed so far; exit 0' }, 1, '0 passed, 1 failed'],
  ['tests of which none ran', { tests: 'echo 0 passed, 0 failed' }, 1, '0 passed, 0 failed'],
  ['a set-up that fails', { setup: 'process.exitCode = 2' }, 2, '0 passed, 1 failed']
]
for (const [says, steps, code, last, told] of CASES) {
  t.test(says, async t => {
    const ended = await runWith(t, steps)
    t.equal(ended.code, code)
    t.equal(ended.lines.at(-1), last)
    if (told !== undefined) t.ok(ended.lines.includes(told), told)
  })
}

t.test('each stage is told with what it took', async t => {
  const { lines } = await runWith(t, { tests: 'echo short: 1 s, 2 CPU-s; echo 3 passed, 0 failed' })
  for (const stage of ['short', 'set-up', 'lint and typecheck', 'tests', 'all of it']) {
    t.ok(lines.some(line => line.startsWith(`took: ${stage}: `)), stage)
  }
})
