/**
 * Counts the tests of a run from the TAP it printed, and never believes a run
 * that ended badly: node .ci/count-tap.mjs FILE EXIT-CODE [FAILED-CHECK…] [-- PASSED-CHECK…]
 *
 * A test is a `t.test` without tests in it, or a file without any; what it
 * asserts is not counted. Whatever holds tests counts only when it failed and
 * none of them did: a crash, a timeout, a failed teardown. So each failure is
 * counted once, where it happened. A check beside the tests counts as one of
 * them; passed ones never stand in for tests that did not run.
 *
 * The last line printed is `N passed, N failed`. Exits with 1 when anything
 * failed or nothing ran.
 */
import { readFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'

const [file, exitCode = '0', ...checks] = process.argv.slice(2)
const [failedChecks, passedChecks] = checks.includes('--')
  ? [checks.slice(0, checks.indexOf('--')), checks.slice(checks.indexOf('--') + 1)]
  : [checks, []]
const run = count(readFileSync(file, 'utf8'))

if (run.passed === 0 && run.failed.length === 0) run.failed.push('no test ran')
if (exitCode !== '0' && run.failed.length === 0) run.failed.push(`the test command ended with code ${exitCode}, though no test says that it failed`)
run.failed.push(...failedChecks)
run.passed += passedChecks.length

for (const what of run.skipped) console.log(`skipped: ${what}`)
for (const what of run.failed) console.log(`failed: ${what}`)
console.log(`${run.passed} passed, ${run.failed.length} failed`)
process.exitCode = run.failed.length > 0 ? 1 : 0

/** Reads a whole TAP stream: subtests are indented by four, their point follows them. */
function count (tap) {
  const run = { passed: 0, failed: [], skipped: [] }
  const open = [] // by depth: the subtest begun there, { name, tests, failed }
  let planned = null
  let points = 0

  for (const { depth, text } of statements(tap)) {
    const begun = /^# Subtest: (.*)$/.exec(text)
    if (begun !== null) open[depth] = { name: begun[1], tests: 0, failed: 0 }
    if (depth === 0 && /^1\.\.\d+/.test(text)) planned = Number(/^1\.\.(\d+)/.exec(text)[1])
    if (/^Bail out!/.test(text)) run.failed.push(text)

    const point = /^(not )?ok\b(?: \d+)?(?: - )?(.*)$/.exec(text)
    if (point === null) continue
    if (depth === 0) points++
    close(run, open, depth, { ok: point[1] === undefined, says: point[2] })
  }

  for (const { name } of open.filter(Boolean)) run.failed.push(`${name}: never finished`)
  for (; points < (planned ?? 0); points++) run.failed.push('a file that was planned and never reported')
  return run
}

/** A point ends the subtest begun at its depth, or is an assertion. */
function close (run, open, depth, { ok, says }) {
  const subtest = open[depth]
  open.length = depth
  const parents = open.slice(0, depth).filter(Boolean)
  const title = [...parents.map(({ name }) => name), subtest?.name ?? says].join(' › ')

  const directive = /(?<!\\)# (SKIP|TODO)\b/i.exec(says)
  if (directive !== null) return run.skipped.push(title)
  if (subtest === undefined && (depth > 0 || ok)) return // an assertion speaks through its test
  const silent = subtest === undefined || subtest.failed === 0
  const leaf = subtest === undefined || subtest.tests === 0
  if (ok && !leaf) return

  for (const parent of parents) {
    parent.tests++
    if (!ok) parent.failed++
  }
  if (ok) run.passed++
  else if (silent) run.failed.push(title)
}

/** The lines that say something, without the YAML that explains a point. */
function * statements (tap) {
  let yamlEnd = null
  for (const line of stripVTControlCharacters(tap).split('\n')) {
    if (yamlEnd !== null) {
      if (line.trimEnd() === yamlEnd) yamlEnd = null
      continue
    }
    const indent = /^ */.exec(line)[0].length
    const text = line.slice(indent).trimEnd()
    if (text === '---' && indent % 4 === 2) yamlEnd = ' '.repeat(indent) + '...'
    else if (indent % 4 === 0 && text !== '') yield { depth: indent / 4, text }
  }
}
