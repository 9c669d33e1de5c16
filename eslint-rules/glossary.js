/**
 * Reads the glossary: which words a name may be made of.
 *
 * Three places of the file count. In a table, every word in **bold** is
 * a word of the domain. Under the heading "General words" each
 * word between the ``` lines is one that any program may use. Under the heading
 * that begins with "Old word" each row names words that are not used any more,
 * and what took their place.
 *
 * A listed word stands for its plain forms too: `retry` for retries, retried
 * and retrying. Other forms (held, sent, sweeper) are listed themselves.
 */
import { readFileSync } from 'node:fs'

/** By path: a run of the linter reads the file once. */
const read = new Map()

/**
 * @param file  absolute path of the glossary
 * @returns     `has(word)` says whether a word or its plain form is listed, `newWordFor(word)` what took the place of
 *              an old one
 * @throws      what the file system throws when there is no such file
 */
export function readGlossary (file) {
  if (!read.has(file)) read.set(file, parseFile(file))
  return read.get(file)
}

/**
 * @param name  of a folder, a file, an export or a fact: camelCase, CONSTANT_CASE, kebab-case or dotted
 * @returns     its words in lower case, without digits
 */
export function wordsOf (name) {
  return (name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g) ?? []).map(word => word.toLowerCase())
}

/**
 * @param text  of the glossary
 * @returns     the words it lists, as written: `domain` from the tables, `general` of the list, `old` from each old word to the new
 */
export function parseGlossary (text) {
  const domain = []
  const general = []
  const old = new Map()
  let heading = ''
  let fenced = false
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) heading = line
    else if (line.startsWith('```')) fenced = !fenced
    else if (fenced && /^#+ General words/.test(heading)) general.push(...line.split(',').map(word => word.trim()).filter(Boolean))
    else if (line.startsWith('|') && /^#+ Old word/.test(heading)) addOld(old, line)
    else if (line.startsWith('|')) domain.push(...[...line.matchAll(/\*\*(.+?)\*\*/g)].map(([, word]) => word))
  }
  return { domain, general, old }
}

function addOld (old, line) {
  const [, from, to] = line.split('|').map(cell => cell.trim())
  if (to === undefined || /^(-+|old.*)$/.test(from)) return
  for (const word of from.split(/[,/]/).flatMap(wordsOf)) old.set(word, to)
}

function parseFile (file) {
  const { domain, general, old } = parseGlossary(readFileSync(file, 'utf8'))
  const listed = new Set([...domain, ...general].flatMap(wordsOf))
  return {
    has: word => listed.has(word) || plainFormsOf(word).some(form => listed.has(form)),
    newWordFor: word => old.get(word)
  }
}

/** What a word may be a form of: `retries` of retry, `batched` of batch, `dropping` of drop, `composing` of compose. */
function plainFormsOf (word) {
  const ending = /(ies|ied|es|s|ed|ing)$/.exec(word)?.[0]
  if (ending === undefined) return []
  const stem = word.slice(0, -ending.length)
  if (ending === 's') return [stem]
  if (ending.startsWith('ie')) return [`${stem}y`, `${stem}ie`]
  const once = /([b-df-hj-np-tv-z])\1$/.test(stem) ? [stem.slice(0, -1)] : []
  return [stem, `${stem}e`, ...once]
}
