/**
 * No module leads back to itself, types included: two files that need each
 * other are one file, or lack a third.
 *
 * The file being linted is read from its syntax tree; those it leads to are
 * read from the disk, and only their import lines. That makes it fast enough
 * to run on every file, without resolving packages.
 */
import { readFileSync, statSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { eachImport } from './each-import.js'

/** `from './x.js'` of a statement, `import './x.js'` and `import('./x.js')`. */
const IMPORTS = /^(?:import|export)\b[^'"]*?\bfrom\s*['"](\.[^'"]+)['"]|^import\s*['"](\.[^'"]+)['"]|\bimport\(\s*['"](\.[^'"]+)['"]/gm

/** By path: what was read, and the version of the file it was read from. */
const known = new Map()

export default {
  meta: {
    type: 'problem',
    schema: [],
    messages: { cycle: 'A cycle: {{way}}. Move what both need to a third file.' }
  },

  create (context) {
    return eachImport(({ specifier, node }) => {
      if (!specifier.startsWith('.')) return
      const way = wayBack(sourceOf(context.filename, specifier), context.filename)
      if (way === null) return
      const names = [context.filename, ...way].map(file => relative(context.cwd, file))
      context.report({ node, messageId: 'cycle', data: { way: names.join(' → ') } })
    })
  }
}

/** The shortest way from a file to the one that imported it, both included; `null` when there is none. */
function wayBack (start, home) {
  const ways = [[start]]
  const seen = new Set([start])
  for (const way of ways) {
    const here = way.at(-1)
    if (here === home) return way
    for (const next of importsOf(here)) {
      if (seen.has(next)) continue
      seen.add(next)
      ways.push([...way, next])
    }
  }
  return null
}

function importsOf (file) {
  const version = statSync(file, { throwIfNoEntry: false })?.mtimeMs
  if (version === undefined) return []
  const before = known.get(file)
  if (before?.version === version) return before.imports
  const found = [...readFileSync(file, 'utf8').matchAll(IMPORTS)]
  const imports = found.map(([, from, effect, dynamic]) => sourceOf(file, from ?? effect ?? dynamic))
  known.set(file, { version, imports })
  return imports
}

/** The TypeScript file that a `.js` specifier means. */
function sourceOf (importer, specifier) {
  return resolve(dirname(importer), specifier).replace(/\.js$/, '.ts')
}
