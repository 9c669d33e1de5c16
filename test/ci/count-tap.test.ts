/**
 * The count at the end of `.ci/run`: each failure once, where it happened, and
 * no run that ended badly passes for a good one.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'

const COUNT = resolve(import.meta.dirname, '../../.ci/count-tap.mjs')

const GOOD = `
# Subtest: test/a.test.ts
    # Subtest: adds
        ok 1 - should be equal
        ok 2 - should be equal
        1..2
    ok 1 - adds # time=5.73ms
    # Subtest: outer
        # Subtest: inner
            ok 1 - should be equal
            1..1
        ok 1 - inner # time=0.8ms
        ok 2 - beside it
        1..2
    ok 2 - outer # time=2.9ms
    1..2
ok 1 - test/a.test.ts # time=20.5ms
`

const BAD_ASSERTION = `
# Subtest: test/a.test.ts
    # Subtest: adds
        not ok 1 - should be equal
          ---
          diff: |
            -not ok 2
            not ok 3
          ...
        1..1
    not ok 1 - adds # time=5.73ms
    1..1
not ok 1 - test/a.test.ts # time=20.5ms
`

const CRASH = `
# Subtest: test/a.test.ts
    # Subtest: adds
        ok 1 - should be equal
        1..1
    ok 1 - adds # time=5.73ms
    1..1
not ok 1 - test/a.test.ts # time=20.5ms
  ---
  signal: SIGKILL
  ...
`

const SKIPPED = `
# Subtest: test/a.test.ts
    ok 1 - one # SKIP no IPv6 here
    not ok 2 - two # TODO
    # Subtest: not ok 1 - odd \\# SKIP name
        ok 1 - should be equal
        1..1
    ok 3 - not ok 1 - odd \\# SKIP name # time=1ms
    1..3
ok 1 - test/a.test.ts # time=20.5ms
`

const TABLE: ReadonlyArray<[says: string, run: { tap: string, exit?: string, checks?: string[] }, line: string, code: number]> = [
  ['tests are counted, not what they assert nor what holds them', { tap: `1..1${GOOD}` }, '2 passed, 0 failed', 0],
  ['a failure counts once, and no diff is taken for a result', { tap: `1..1${BAD_ASSERTION}`, exit: '1' }, '0 passed, 1 failed', 1],
  ['a crash after good tests is a failure', { tap: `1..1${CRASH}`, exit: '1' }, '1 passed, 1 failed', 1],
  ['a crash counts beside the failure of another file', { tap: `1..2${CRASH}${BAD_ASSERTION}`, exit: '1' }, '1 passed, 2 failed', 1],
  ['a file that failed before its first test is a failure', { tap: '1..1\n# Subtest: a\nnot ok 1 - a # time=1ms\n', exit: '1' }, '0 passed, 1 failed', 1],
  ['a file of bare assertions is one test', { tap: '1..1\n# Subtest: a\n    ok 1 - x\n    ok 2 - y\n    1..2\nok 1 - a\n' }, '1 passed, 0 failed', 0],
  ['a timeout of the whole run is a failure', { tap: `1..2${GOOD}not ok 2 - timeout!\n`, exit: '1' }, '2 passed, 1 failed', 1],
  ['skipped and todo neither pass nor fail', { tap: `1..1${SKIPPED}` }, '1 passed, 0 failed', 0],
  ['a file that was planned and never reported is a failure', { tap: `1..3${GOOD}` }, '2 passed, 2 failed', 1],
  ['a subtest that never finished is a failure', { tap: `1..1${GOOD.slice(0, GOOD.lastIndexOf('ok 1'))}` }, '2 passed, 2 failed', 1],
  ['a bail-out is a failure', { tap: `1..1${GOOD}Bail out! no disk\n`, exit: '1' }, '2 passed, 1 failed', 1],
  ['a bad exit that no test explains is a failure', { tap: `1..1${GOOD}`, exit: '137' }, '2 passed, 1 failed', 1],
  ['no test at all is a failure', { tap: 'TAP version 14\n1..0\n' }, '0 passed, 1 failed', 1],
  ['nothing printed is a failure', { tap: '', exit: '1' }, '0 passed, 1 failed', 1],
  ['a failed lint and typecheck are two failures', { tap: `1..1${GOOD}`, checks: ['npm run lint', 'npm run typecheck'] }, '2 passed, 2 failed', 1],
  ['a check that passed is one test', { tap: `1..1${GOOD}`, checks: ['--', 'npm run bench -- --smoke'] }, '3 passed, 0 failed', 0],
  ['a check that passed makes up for none that failed', { tap: `1..1${GOOD}`, checks: ['npm run lint', '--', 'npm run bench -- --smoke'] }, '3 passed, 1 failed', 1],
  ['a check that passed does not stand in for tests', { tap: '', checks: ['--', 'npm run bench -- --smoke'] }, '1 passed, 1 failed', 1]
]

for (const [says, { tap, exit = '0', checks = [] }, line, code] of TABLE) {
  t.test(says, async t => {
    const file = join(t.testdir(), 'tap')
    writeFileSync(file, tap)
    const { stdout, status } = spawnSync(process.execPath, [COUNT, file, exit, ...checks], { encoding: 'utf8' })
    t.equal(stdout.trimEnd().split('\n').at(-1), line)
    t.equal(status, code)
  })
}

t.test('what a failed test asserted is told beside the count, once, without what holds it', async t => {
  const file = join(t.testdir(), 'tap')
  writeFileSync(file, `1..3${GOOD}${BAD_ASSERTION}${CRASH.replaceAll('/a.', '/b.')}`)
  const { stdout } = spawnSync(process.execPath, [COUNT, file, '1'], { encoding: 'utf8' })
  t.equal(stdout, `
test/a.test.ts › adds › should be equal
diff: |
  -not ok 2
  not ok 3

test/b.test.ts
signal: SIGKILL

failed: test/a.test.ts › adds
failed: test/b.test.ts
3 passed, 2 failed
`)
})
