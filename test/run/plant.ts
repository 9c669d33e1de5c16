/**
 * Plants faults in src, one at a time, and sees whether the tests notice: each
 * in a module chosen by chance, restored whatever happens.
 *
 *   npm run test:planted                         twenty faults
 *   npm run test:planted -- --seed 7 --count 5   others, fewer
 *   npm run test:planted -- --from 11            goes on with the eleventh
 *
 * The tests of the module's own folder are asked first, then the short tier,
 * then the journeys; the first that fails ends the question. A fault that
 * nobody notices is told, with its line: either it changes nothing, or a
 * promise has no test. Ends with 0 when all were noticed.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import ts from 'typescript'
import { randomFrom } from '../../chaos/random.js'

const SWAPPED: Record<string, string> = { '<': '>=', '>': '<=', '<=': '>', '>=': '<', '===': '!==', '!==': '===', '&&': '||', '||': '&&', '+': '-', '-': '+' }

/** What is to be seen of a fault's text. */
const MOST_CHARACTERS = 70
const shortened = (text: string): string => text.replace(/\s+/g, ' ').slice(0, MOST_CHARACTERS)

interface Fault { file: string, line: number, from: string, to: string, change: { start: number, end: number, text: string } }

const { values } = parseArgs({ options: { seed: { type: 'string', default: '1' }, count: { type: 'string', default: '20' }, from: { type: 'string', default: '1' } } })
const random = randomFrom(values.seed)

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { stop.abort() })
const unnoticed: Fault[] = []
const faults = chooseFaults(Number(values.count))
const skipped = Number(values.from) - 1
for (const [at, fault] of faults.entries()) {
  if (at < skipped) continue
  const began = performance.now()
  const by = await noticedBy(fault)
  if (stop.signal.aborted) process.exit(130)
  if (by === null) unnoticed.push(fault)
  console.log(`${at + 1}/${faults.length} ${fault.file}:${fault.line}  ${fault.from}  →  ${fault.to}\n    ${by ?? 'NOBODY NOTICED'} (${((performance.now() - began) / 1_000).toFixed(0)} s)`)
}
console.log(`${faults.length - skipped - unnoticed.length} of ${faults.length - skipped} faults were noticed`)
process.exitCode = unnoticed.length > 0 ? 1 : 0

/** One in each of so many modules. */
function chooseFaults (count: number): Fault[] {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts')).map(file => `src/${file}`).sort()
  const chosen: Fault[] = []
  while (chosen.length < count && files.length > 0) {
    const [file] = files.splice(random.between(0, files.length - 1), 1)
    const possible = faultsIn(file!)
    if (possible.length > 0) chosen.push(random.pick(possible))
  }
  return chosen
}

/** A condition turned round, a comparison, a word of logic or a truth changed, a call left out. */
function faultsIn (file: string): Fault[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2023, true)
  const found: Fault[] = []
  const fault = (node: ts.Node, to: string): void => {
    const start = node.getStart(source)
    found.push({ file, line: source.getLineAndCharacterOfPosition(start).line + 1, from: shortened(node.getText(source)), to: shortened(to), change: { start, end: node.end, text: to } })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isIfStatement(node)) fault(node.expression, `!(${node.expression.getText(source)})`)
    if (ts.isConditionalExpression(node)) fault(node.condition, `!(${node.condition.getText(source)})`)
    if (ts.isBinaryExpression(node)) {
      const other = SWAPPED[node.operatorToken.getText(source)]
      if (other !== undefined) fault(node.operatorToken, other)
    }
    if (node.kind === ts.SyntaxKind.TrueKeyword && !ts.isLiteralTypeNode(node.parent)) fault(node, 'false')
    if (node.kind === ts.SyntaxKind.FalseKeyword && !ts.isLiteralTypeNode(node.parent)) fault(node, 'true')
    if (ts.isExpressionStatement(node) && (ts.isCallExpression(node.expression) || ts.isAwaitExpression(node.expression))) fault(node, ';')
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** Runs the tests on it. @returns the first that failed; `null` when none did */
async function noticedBy ({ file, change: { start, end, text } }: Fault): Promise<string | null> {
  const whole = readFileSync(file, 'utf8')
  try {
    writeFileSync(file, whole.slice(0, start) + text + whole.slice(end))
    for (const args of [[`test/${file.split('/')[1]!.replace('.ts', '')}/`], ['--tier', 'short'], ['--tier', 'journey']]) {
      const said = await runTests(args)
      if (said !== null || stop.signal.aborted) return said
    }
    return null
  } finally {
    writeFileSync(file, whole)
  }
}

async function runTests (args: readonly string[]): Promise<string | null> {
  const built = await run(['build/setup.cjs', '--tests'])
  if (built.code !== 0) return 'it does not compile'
  const { code, out } = await run(['.compiled/test/run/main.js', '--bail', ...args])
  // 2: the folder has no tests of its own.
  if (code === 0 || code === 2) return null
  return /^ +failed: (.*)$/m.exec(out)?.[1] ?? `the tests ended with ${code}`
}

async function run (args: readonly string[]): Promise<{ code: number | null, out: string }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  const end = (): void => { child.kill('SIGTERM') }
  stop.signal.addEventListener('abort', end, { once: true })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { out += text })
  const [code] = await once(child, 'close') as [number | null]
  stop.signal.removeEventListener('abort', end)
  return { code, out }
}
