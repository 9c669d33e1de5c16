/**
 * Counts the tests of a suite from the TAP it printed, and never believes a run
 * that ended badly.
 *
 * A test is a `t.test` without tests in it, or a file without any; what it
 * asserts is not counted. Whatever holds tests counts only when it failed and
 * none of them did: a crash, a timeout, a failed teardown. So each failure is
 * counted once, where it happened, and explained with what TAP says of it.
 */
import { stripVTControlCharacters } from 'node:util'

export interface Count {
  passed: number
  /** What failed, each by the titles of all around it, ` › ` between them. */
  failed: string[]
  skipped: string[]
  /** What TAP says of each failure. */
  explained: Array<{ title: string, lines: string[] }>
}

/** A subtest that has begun and not ended, by depth. */
interface Open { name: string, tests: number, failed: number }

interface Statement { depth: number, text: string, isYaml: boolean }

/** Adds up. */
export function sumOf (counts: readonly Count[]): Count {
  return {
    passed: counts.reduce((sum, { passed }) => sum + passed, 0),
    failed: counts.flatMap(({ failed }) => failed),
    skipped: counts.flatMap(({ skipped }) => skipped),
    explained: counts.flatMap(({ explained }) => explained)
  }
}

/**
 * Counts what a suite printed.
 *
 * @param ending  how its process ended: an exit code or a signal; anything but
 *                0 is a failure, whatever its tests say
 */
export function countTap (tap: string, ending: number | string): Count {
  const run = read(tap)
  if (run.passed === 0 && run.failed.length === 0) run.failed.push('no test ran')
  if (ending !== 0 && run.failed.length === 0) run.failed.push(`it ended with ${ending}, though no test says that it failed`)
  return run
}

/** Reads a whole TAP stream: subtests are indented by four, their point follows them. */
function read (tap: string): Count {
  const run: Count = { passed: 0, failed: [], skipped: [], explained: [] }
  const open: Array<Open | undefined> = []
  let planned: number | null = null
  let points = 0
  let explanation: string[] | undefined

  for (const { depth, text, isYaml } of statements(tap)) {
    if (isYaml) {
      explanation?.push(text)
      continue
    }
    const begun = /^# Subtest: (.*)$/.exec(text)
    if (begun !== null) open[depth] = { name: begun[1]!, tests: 0, failed: 0 }
    if (depth === 0 && /^1\.\.\d+/.test(text)) planned = Number(/^1\.\.(\d+)/.exec(text)![1])
    if (/^Bail out!/.test(text)) run.failed.push(text)

    const point = /^(not )?ok\b(?: \d+)?(?: - )?(.*)$/.exec(text)
    if (point === null) continue
    if (depth === 0) points++
    const [failedBefore, isAssertion] = [run.failed.length, open[depth] === undefined]
    const title = close(run, open, depth, { ok: point[1] === undefined, says: point[2]! })
    const isExplained = run.explained.some(within => within.title.startsWith(`${title} › `))
    const isToExplain = point[1] !== undefined && !isExplained && (isAssertion || run.failed.length > failedBefore)
    explanation = isToExplain ? [] : undefined
    if (explanation !== undefined) run.explained.push({ title, lines: explanation })
  }

  for (const one of open) if (one !== undefined) run.failed.push(`${one.name}: never finished`)
  for (; points < (planned ?? 0); points++) run.failed.push('a file that was planned and never reported')
  return run
}

/** A point ends the subtest begun at its depth, or is an assertion. @returns what it is called, with all around it */
function close (run: Count, open: Array<Open | undefined>, depth: number, { ok, says }: { ok: boolean, says: string }): string {
  const subtest = open[depth]
  open.length = depth
  const parents = open.slice(0, depth).filter(one => one !== undefined)
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
function * statements (tap: string): Generator<Statement> {
  let yamlEnd: string | null = null
  for (const line of stripVTControlCharacters(tap).split('\n')) {
    if (yamlEnd !== null) {
      if (line.trimEnd() === yamlEnd) yamlEnd = null
      else yield { depth: 0, text: line.slice(yamlEnd.length - 3), isYaml: true }
      continue
    }
    const indent = /^ */.exec(line)![0].length
    const text = line.slice(indent).trimEnd()
    if (text === '---' && indent % 4 === 2) yamlEnd = ' '.repeat(indent) + '...'
    else if (indent % 4 === 0 && text !== '') yield { depth: indent / 4, text, isYaml: false }
  }
}
