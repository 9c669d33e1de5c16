/**
 * TypeScript to JavaScript, file by file: only what has changed, without a
 * look at the types (that is `npm run typecheck`).
 *
 *   node build/compile.mjs            src/ → dist/, what users run
 *   node build/compile.mjs --tests    src, test, bench, chaos, soak → .compiled/, what the tests run
 *
 * What the tests run takes itself for its source: `import.meta.url` names the
 * file in src/ or test/, so fixtures, scripts and documents are found beside it.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** What is compiled to where. */
const PRODUCT = { from: ['src'], to: place => join('dist', place.slice('src/'.length)), out: 'dist', isTest: false }
const TESTS = { from: ['src', 'test', 'bench', 'chaos', 'soak'], to: place => join('.compiled', place), out: '.compiled', isTest: true }

/**
 * Compiles what is stale; rejects with what esbuild says of a file it cannot read.
 *
 * @param isTest  what the tests run, in the place of what users run
 * @returns       how many files were written
 */
export async function compile ({ isTest }) {
  const plan = isTest ? TESTS : PRODUCT
  const stamp = stampOf(isTest)
  const stampFile = join(ROOT, plan.out, '.stamp')
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) rmSync(join(ROOT, plan.out), { recursive: true, force: true })

  const sources = plan.from.flatMap(folder => filesIn(join(ROOT, folder)).map(file => join(folder, file)))
  const wanted = new Map(sources.filter(place => isTest ? place.endsWith('.ts') : !place.endsWith('.md'))
    .map(place => [plan.to(place).replace(/\.ts$/, '.js'), place]))
  forget(plan.out, wanted)
  const stale = [...wanted].filter(([out, place]) => isStale(join(ROOT, out), join(ROOT, place)))
  if (stale.length === 0) return 0

  const { transform } = await import('esbuild')
  await Promise.all(stale.map(async ([out, place]) => { await write(transform, { out: join(ROOT, out), source: join(ROOT, place), isTest }) }))
  if (!isTest) chmodSync(join(ROOT, 'dist/main.js'), 0o755)
  writeFileSync(stampFile, stamp)
  return stale.length
}

/** Whatever else decides what comes out. */
function stampOf (isTest) {
  const version = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages['node_modules/esbuild'].version
  return [version, isTest ? ROOT : '', readFileSync(fileURLToPath(import.meta.url), 'utf8')].join('\n')
}

function filesIn (folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1))
}

/** What has no source any more goes: nothing may go on because it was once there. */
function forget (out, wanted) {
  if (!existsSync(join(ROOT, out))) return
  for (const file of filesIn(join(ROOT, out))) {
    const place = join(out, file).replace(/\.map$/, '')
    if (basename(file) !== '.stamp' && !wanted.has(place)) rmSync(join(ROOT, out, file))
  }
}

/** A file is written with the time of its source, so a source that was put back to what it was is noticed as well. */
function isStale (out, source) {
  const written = statSync(out, { throwIfNoEntry: false })
  return written === undefined || Math.trunc(written.mtimeMs) !== Math.trunc(statSync(source).mtimeMs)
}

/** Whole or not at all, for a gateway or another run may be reading it. */
async function write (transform, { out, source, isTest }) {
  const { atime, mtime } = statSync(source)
  mkdirSync(dirname(out), { recursive: true })
  const put = (file, content) => {
    const half = `${file}.${process.pid}`
    writeFileSync(half, content)
    utimesSync(half, atime, mtime)
    renameSync(half, file)
  }
  const content = readFileSync(source)
  if (!source.endsWith('.ts')) return put(out, content)
  if (isTest) return put(out, (await transform(content, testOptions(source))).code)
  const { code, map } = await transform(content, { ...OPTIONS, sourcemap: true, sourcefile: relative(dirname(out), source), sourcesContent: false })
  put(`${out}.map`, map)
  put(out, `${code}//# sourceMappingURL=${basename(out)}.map\n`)
}

const OPTIONS = { loader: 'ts', format: 'esm', target: 'node20', tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, target: 'ES2023' } } }

function testOptions (source) {
  return {
    ...OPTIONS,
    sourcemap: 'inline',
    sourcefile: source,
    sourcesContent: false,
    define: {
      'import.meta.url': JSON.stringify(pathToFileURL(source).href),
      'import.meta.filename': JSON.stringify(source),
      'import.meta.dirname': JSON.stringify(dirname(source))
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await compile({ isTest: process.argv.includes('--tests') })
