/**
 * The count at the end of a run: each failure once, where it happened, and
 * no run that ended badly passes for a good one.
 */
import t from '../support/tap.js'
import { countTap } from './count.js'

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

const TABLE: ReadonlyArray<[says: string, run: { tap: string, ending?: number | string }, passed: number, failed: number]> = [
  ['tests are counted, not what they assert nor what holds them', { tap: `1..1${GOOD}` }, 2, 0],
  ['a failure counts once, and no diff is taken for a result', { tap: `1..1${BAD_ASSERTION}`, ending: 1 }, 0, 1],
  ['a crash after good tests is a failure', { tap: `1..1${CRASH}`, ending: 1 }, 1, 1],
  ['a crash counts beside the failure of another file', { tap: `1..2${CRASH}${BAD_ASSERTION}`, ending: 1 }, 1, 2],
  ['a file that failed before its first test is a failure', { tap: '1..1\n# Subtest: a\nnot ok 1 - a # time=1ms\n', ending: 1 }, 0, 1],
  ['a file of bare assertions is one test', { tap: '1..1\n# Subtest: a\n    ok 1 - x\n    ok 2 - y\n    1..2\nok 1 - a\n' }, 1, 0],
  ['a timeout of the whole run is a failure', { tap: `1..2${GOOD}not ok 2 - timeout!\n`, ending: 1 }, 2, 1],
  ['skipped and todo neither pass nor fail', { tap: `1..1${SKIPPED}` }, 1, 0],
  ['a file that was planned and never reported is a failure', { tap: `1..3${GOOD}` }, 2, 2],
  ['a subtest that never finished is a failure', { tap: `1..1${GOOD.slice(0, GOOD.lastIndexOf('ok 1'))}` }, 2, 2],
  ['a bail-out is a failure', { tap: `1..1${GOOD}Bail out! no disk\n`, ending: 1 }, 2, 1],
  ['a bad exit that no test explains is a failure', { tap: `1..1${GOOD}`, ending: 137 }, 2, 1],
  ['a signal that no test explains is a failure', { tap: `1..1${GOOD}`, ending: 'SIGKILL' }, 2, 1],
  ['no test at all is a failure', { tap: 'TAP version 14\n1..0\n' }, 0, 1],
  ['nothing printed is a failure', { tap: '', ending: 1 }, 0, 1]
]

for (const [says, { tap, ending = 0 }, passed, failed] of TABLE) {
  t.test(says, async t => {
    const count = countTap(tap, ending)
    t.strictSame([count.passed, count.failed.length], [passed, failed])
  })
}

t.test('what a failed test asserted is told, once, without what holds it', async t => {
  const { explained, failed } = countTap(`1..3${GOOD}${BAD_ASSERTION}${CRASH.replaceAll('/a.', '/b.')}`, 1)
  t.strictSame(explained, [
    { title: 'test/a.test.ts › adds › should be equal', lines: ['diff: |', '  -not ok 2', '  not ok 3'] },
    { title: 'test/b.test.ts', lines: ['signal: SIGKILL'] }
  ])
  t.strictSame(failed, ['test/a.test.ts › adds', 'test/b.test.ts'])
})
