/**
 * The glossary says each word once, with a meaning, and its words are those of
 * the files that the linter does not read as well. What it does read, the rule
 * glossary-words holds (test/lint/).
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from '../support/tap.js'

interface GlossaryRules {
  readGlossary: (file: string) => { has: (word: string) => boolean }
  parseGlossary: (text: string) => { domain: string[], general: string[] }
  wordsOf: (name: string) => string[]
}

const ROOT = resolve(import.meta.dirname, '../..')
const FILE = join(ROOT, 'src/model/glossary.md')
const { readGlossary, parseGlossary, wordsOf } = await import(pathToFileURL(join(ROOT, 'eslint-rules/glossary.js')).href) as GlossaryRules
const text = readFileSync(FILE, 'utf8')

t.test('each word is explained once, or is a general one', async t => {
  const { domain, general } = parseGlossary(text)
  t.ok(domain.length > 100 && general.length > 100, 'the glossary was read')
  const all = [...domain, ...general]
  t.strictSame(all.filter((word, at) => all.indexOf(word) !== at), [])
})

t.test('each row of a table says what its words mean', async t => {
  const rows = text.split('\n').filter(line => line.startsWith('| **'))
  t.strictSame(rows.filter(row => !/^\| \*\*.+\*\*.* \| \S.{8,} \|$/.test(row)), [])
})

t.test('files of src that the linter does not read are named by words of the glossary', async t => {
  const { has } = readGlossary(FILE)
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter(path => /\.\w+$/.test(path) && !path.endsWith('.ts'))
  t.ok(files.some(path => path.endsWith('.lua')), 'there are some')
  t.strictSame(files.filter(path => !wordsOf(path.replace(/\.\w+$/, '')).every(has)), [])
})
