/**
 * Counts the tests of a run from the TAP it printed, and never believes a run
 * that ended badly: node .ci/count-tap.mjs FILE EXIT-CODE [FAILED-CHECK…] [-- PASSED-CHECK…]
 *
 * A test is a `t.test` without tests in it, or a file without any; what it
 * asserts is not counted. Whatever holds tests counts only when it failed and
 * none of them did: a crash, a timeout, a failed teardown. So each failure is
 * counted once, where it happened, and explained with what TAP says of it. A
 * check beside the tests counts as one of them; passed ones never stand in for
 * tests that did not run.
 *
 * The last line printed is `N passed, N failed`. Exits with 1 when anything
 * failed or nothing ran.
 */
import { readFileSync } from 'node:fs'
import { stripVTControlCharacters } from 'node:util'

/** Of an explanation: what it compares stands before where it stands. */
const MOST_LINES = 40

const [file, exitCode = '0', ...checks] = process.argv.slice(2)
const [failedChecks, passedChecks] = checks.includes('--')
  ? [checks.slice(0, checks.indexOf('--')), checks.slice(checks.indexOf('--') + 1)]
  : [checks, []]
const run = count(readFileSync(file, 'utf8'))

if (run.passed === 0 && run.failed.length === 0) run.failed.push('no test ran')
if (exitCode !== '0' && run.failed.length === 0) run.failed.push(`the test command ended with code ${exitCode}, though no test says that it failed`)
run.failed.push(...failedChecks)
run.passed += passedChecks.length

for (const { title, lines } of run.explained) console.log([`\n${title}`, ...lines.slice(0, MOST_LINES)].join('\n'))
if (run.explained.length > 0) console.log()
for (const what of run.skipped) console.log(`skipped: ${what}`)
for (const what of run.failed) console.log(`failed: ${what}`)
console.log(`${run.passed} passed, ${run.failed.length} failed`)
process.exitCode = run.failed.length > 0 ? 1 : 0

/** Reads a whole TAP stream: subtests are indented by four, their point follows them. */
function count (tap) {
  const run = { passed: 0, failed: [], skipped: [], explained: [] }
  const open = [] // by depth: the subtest begun there, { name, tests, failed }
  let planned = null
  let points = 0
  let explanation = null

  for (const { depth, text, isYaml } of statements(tap)) {
    if (isYaml) {
      explanation?.push(text)
      continue
    }
    const begun = /^# Subtest: (.*)$/.exec(text)
    if (begun !== null) open[depth] = { name: begun[1], tests: 0, failed: 0 }
    if (depth === 0 && /^1\.\.\d+/.test(text)) planned = Number(/^1\.\.(\d+)/.exec(text)[1])
    if (/^Bail out!/.test(text)) run.failed.push(text)

    const point = /^(not )?ok\b(?: \d+)?(?: - )?(.*)$/.exec(text)
    if (point === null) continue
    if (depth === 0) points++
    const [failedBefore, isAssertion] = [run.failed.length, open[depth] === undefined]
    const title = close(run, open, depth, { ok: point[1] === undefined, says: point[2] })
    const isExplained = run.explained.some(within => within.title.startsWith(`${title} › `))
    const isToExplain = point[1] !== undefined && !isExplained && (isAssertion || run.failed.length > failedBefore)
    explanation = isToExplain ? [] : null
    if (isToExplain) run.explained.push({ title, lines: explanation })
  }

  for (const { name } of open.filter(Boolean)) run.failed.push(`${name}: never finished`)
  for (; points < (planned ?? 0); points++) run.failed.push('a file that was planned and never reported')
  return run
}

/** A point ends the subtest begun at its depth, or is an assertion. @returns what it is called, with all around it */
function close (run, open, depth, { ok, says }) {
  const subtest = open[depth]
  open.length = depth
  const parents = open.slice(0, depth).filter(Boolean)
  const title = [...parents.map(({ name }) => name), subtest?.name ?? says].join(' › ')

  const directive = /(?<!\\)# (SKIP|TODO)\b/i.exec(says)
  if (directive !== null) run.skipped.push(title)
  // An assertion speaks through its test.
  if (directive !== null || (subtest === undefined && (depth > 0 || ok))) return title
  const silent = subtest === undefined || subtest.failed === 0
  const leaf = subtest === undefined || subtest.tests === 0
  if (ok && !leaf) return title

  for (const parent of parents) {
    parent.tests++
    if (!ok) parent.failed++
  }
  if (ok) run.passed++
  else if (silent) run.failed.push(title)
  return title
}

/** The lines that say something; those of the YAML that explains a point are marked. */
function * statements (tap) {
  let yamlEnd = null
  for (const line of stripVTControlCharacters(tap).split('\n')) {
    if (yamlEnd !== null) {
      if (line.trimEnd() === yamlEnd) yamlEnd = null
      else yield { depth: 0, text: line.slice(yamlEnd.length - 3), isYaml: true }
      continue
    }
    const indent = /^ */.exec(line)[0].length
    const text = line.slice(indent).trimEnd()
    if (text === '---' && indent % 4 === 2) yamlEnd = ' '.repeat(indent) + '...'
    else if (indent % 4 === 0 && text !== '') yield { depth: indent / 4, text, isYaml: false }
  }
}
