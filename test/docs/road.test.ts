/**
 * The README names the files on the way from `POST` to the subscriber's
 * socket. It does so truly as long as each is imported by the one before it,
 * or by the place in the gateway that gives it to the one before it.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join, posix, resolve } from 'node:path'
import t from '../support/tap.js'

const ROOT = resolve(import.meta.dirname, '../..')
const MOST_FILES = 12
/** Where parts are put together. */
const COMPOSITION_ROOT = /^src\/gateway(\/[\w-]+)?\.ts$/

interface Stop {
  file: string
  /** Who gives it to the one before it; `null` when that one imports it. */
  givenBy: string | null
  /** What happens there. */
  says: string
}

const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8')
const road = stopsIn(textOf('README.md'))
const files = road.map(({ file }) => file)

t.test(`the road has its ends and ${MOST_FILES} files at most, each named once with what happens there`, async t => {
  t.ok(road.length > 2 && road.length <= MOST_FILES, `${road.length} files`)
  t.strictSame(files.filter((file, at) => !existsSync(join(ROOT, file)) || files.indexOf(file) !== at), [])
  t.strictSame(road.filter(({ says }) => says.length < 10), [])
  t.match(textOf(files[0]!), /\bapp\.post\(/, 'it begins where POST comes in')
  t.match(textOf(files.at(-1)!), /\bnew Client\(/, 'it ends where the socket is')
})

for (const [at, { file, givenBy }] of road.entries()) {
  const from = givenBy ?? files[at - 1]
  t.test(`${file} is reached from ${from}`, async t => {
    if (givenBy !== null) t.match(givenBy, COMPOSITION_ROOT, 'parts are put together there')
    t.ok(from !== undefined && importedBy(from).includes(file), `${from} imports it`)
  })
}

/** `3. [file](file): what happens there (given by [file](file))`, one line each. */
function stopsIn (readme: string): Stop[] {
  const section = /^## From `POST`[^\n]*\n([^]*?)(?=^#|^\*\*|(?![^]))/m.exec(readme)?.[1] ?? ''
  return section.split('\n').filter(line => /^\d+\. /.test(line)).map(line => {
    const [, file, says, givenBy] = /^\d+\. \[[^\]]+\]\(([^)]+)\): (.*?)(?: \(given by \[[^\]]+\]\(([^)]+)\)\))?$/.exec(line) ?? []
    return { file: file ?? line, says: says ?? '', givenBy: givenBy ?? null }
  })
}

/** What a file imports of ours, types too, and the scripts that it loads. */
function importedBy (file: string): string[] {
  const specifiers = [...textOf(file).matchAll(/(?:from |import\(|new URL\()'(\.[^']+)'/g)].map(([, specifier]) => specifier!)
  return specifiers.map(specifier => posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts'))
}
