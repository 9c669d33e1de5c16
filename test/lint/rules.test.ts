/**
 * Every rule of ours catches the violation planted for it, and lets pass what
 * only comes near. The plants are linted as a project of their own, by the
 * project's real configuration, types and all.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import type { ESLint, Linter } from 'eslint'
import t from '../support/tap.js'
import { CLEAN, GLOSSARY, PLANTS, type Sample } from './plants.js'

const ROOT = resolve(import.meta.dirname, '../..')
const CONFIG = join(ROOT, 'eslint.config.js')

const tree = t.testdir({
  'tsconfig.json': JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), include: ['src', 'test'] })
})
for (const sample of [...PLANTS, ...CLEAN]) plantIn(tree, sample)
plantIn(tree, { path: 'src/model/glossary.md', code: GLOSSARY })
const reported = await lint(tree)

for (const { rule, path } of PLANTS) {
  t.test(`${rule} catches ${path}`, async t => {
    t.strictSame(rulesReportedFor(path), [rule])
  })
}

for (const { path } of CLEAN) {
  t.test(`${path} is clean`, async t => {
    t.strictSame(reported.get(path), [])
  })
}

t.test('no sample is planted over another', async t => {
  const paths = [...PLANTS, ...CLEAN].map(({ path }) => path)
  t.strictSame(paths.filter((path, n) => paths.indexOf(path) !== n), [])
})

t.test('every rule that the configuration switches on has a plant', async t => {
  const planted = new Set(PLANTS.map(({ rule }) => rule))
  const ours = await rulesSwitchedOn()
  t.ok(ours.length > 15, 'the configuration was read')
  t.strictSame(ours.filter(rule => !planted.has(rule)), [])
})

t.test('a word that is not in the glossary is told with what to do', async t => {
  const told = (path: string): string => reported.get(path)!.map(({ message }) => message).join()
  t.equal(told('src/record/event-gizmo.ts'),
    '"gizmo" in "event-gizmo" is not in src/model/glossary.md: use a word of it, or add this one there with its meaning.')
  t.equal(told('src/record/old.ts'), '"lane" in "laneOne" is an old word: src/model/glossary.md says "connection" now.')
})

function plantIn (root: string, { path, code }: Sample): void {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, code)
}

/** The messages for each file of the tree, by its path in it. */
async function lint (cwd: string): Promise<Map<string, Linter.LintMessage[]>> {
  const eslint = join(ROOT, 'node_modules/eslint/bin/eslint.js')
  const output = await runNode(cwd, [eslint, '--config', CONFIG, '--format', 'json', '.'])
  const results = JSON.parse(output) as ESLint.LintResult[]
  return new Map(results.map(({ filePath, messages }) => [relative(cwd, filePath), messages]))
}

/** What a plain Node prints: the loaders of a test run change how ESLint's plugins are found. */
async function runNode (cwd: string, args: string[]): Promise<string> {
  const { env } = process
  const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
  return await text(child.stdout)
}

/** Each once. ESLint's own remark that comments are not obeyed names no rule. */
function rulesReportedFor (path: string): string[] {
  const messages = reported.get(path) ?? []
  return [...new Set(messages.filter(({ severity }) => severity === 2).map(({ ruleId, message }) => ruleId ?? message))]
}

async function rulesSwitchedOn (): Promise<string[]> {
  const print = `import(${JSON.stringify(pathToFileURL(CONFIG).href)}).then(({ default: configs }) =>
    console.log(JSON.stringify(configs.map(({ name, rules }) => ({ name, rules })))))`
  const configs = JSON.parse(await runNode(ROOT, ['--eval', print])) as Linter.Config[]
  const ours = configs.filter(({ name }) => name?.startsWith('relay/'))
  const entries = ours.flatMap(({ rules }) => Object.entries(rules ?? {}))
  return [...new Set(entries.filter(([, level]) => level !== 'off').map(([rule]) => rule))]
}
