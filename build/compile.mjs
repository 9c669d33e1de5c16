/**
 * TypeScript to JavaScript, file by file: only what has changed, without a
 * look at the types (that is `npm run typecheck`).
 *
 *   node build/compile.mjs            src/ → dist/, what users run
 *   node build/compile.mjs --tests    src, test, bench, chaos, soak → .compiled/, what the tests run
 *
 * What the tests run takes itself for its source: `import.meta.url` names the
 * file in src/ or test/, so fixtures, scripts and documents are found beside it.
 *
 * `.stamp`, beside what was written, remembers each source as it was. It is
 * written last, so a build that was interrupted is done again.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** What is compiled to where. */
const PRODUCT = { from: ['src'], to: place => join('dist', place.slice('src/'.length)), out: 'dist', isTest: false }
const TESTS = { from: ['src', 'test', 'bench', 'chaos', 'soak'], to: place => join('.compiled', place), out: '.compiled', isTest: true }

/** A file system's clock ticks; a source that was written within so many milliseconds may change again unseen. */
const TICK_MS = 20

/** Nothing can be built, and the message is all that there is to say. */
export class BuildError extends Error {}

/**
 * Compiles what is stale.
 *
 * @param isTest  what the tests run, in the place of what users run
 * @returns       how many files were written
 * @throws        BuildError, with esbuild's own words of each file that it cannot read
 */
export async function compile ({ isTest }) {
  const plan = isTest ? TESTS : PRODUCT
  const wanted = wantedOf(plan)
  const there = new Set(existsSync(join(ROOT, plan.out)) ? filesIn(plan.out) : [])
  forget(there, wanted)

  const inputs = inputsOf(isTest)
  const known = readStamp(plan.out)
  const sources = Object.fromEntries([...wanted.values()].map(place => [place, markOf(place)]))
  const isFresh = ([out, place]) => known.inputs === inputs && sources[place] !== undefined && known.sources[place] === sources[place] && there.has(out)
  const stale = [...wanted].filter(file => !isFresh(file))
  if (stale.length === 0) return 0

  await writeAll(stale, isTest)
  put(join(ROOT, plan.out, '.stamp'), JSON.stringify({ inputs, sources }))
  return stale.length
}

/** What is to be there, each with its source. */
function wantedOf ({ from, to, isTest }) {
  if (!existsSync(join(ROOT, 'src'))) throw new BuildError('There is no src/ here, so there is nothing to build.')
  return new Map(from.flatMap(filesIn)
    .filter(place => isTest ? place.endsWith('.ts') : !place.endsWith('.md'))
    .map(place => [to(place).replace(/\.ts$/, '.js'), place]))
}

/** Every file in a folder, by its path from the root. */
function filesIn (folder) {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap(entry => {
    const place = `${folder}/${entry.name}`
    if (entry.isDirectory()) return filesIn(place)
    return entry.isFile() ? [place] : []
  })
}

/** What has no source any more goes: nothing may go on because it was once there. */
function forget (there, wanted) {
  for (const place of there) {
    if (basename(place) === '.stamp' || wanted.has(place.replace(/\.map$/, '')) || isBeingWritten(place)) continue
    rmSync(join(ROOT, place), { force: true })
    there.delete(place)
  }
}

/** Whatever else decides what comes out. */
function inputsOf (isTest) {
  const file = join(ROOT, 'node_modules/esbuild/package.json')
  if (!existsSync(file)) throw new BuildError('esbuild, which builds, is not installed: npm ci --include=dev')
  const { version } = JSON.parse(readFileSync(file, 'utf8'))
  const own = readFileSync(fileURLToPath(import.meta.url))
  return createHash('sha256').update([version, isTest ? ROOT : '', own].join('\n')).digest('hex')
}

function readStamp (out) {
  try {
    return JSON.parse(readFileSync(join(ROOT, out, '.stamp'), 'utf8'))
  } catch { return { sources: {} } } // there is none, or it is of an older form: all is stale
}

/**
 * Changes with every change of a source: the system sets ctime itself, so a file that is put back to what it was, its time included, has
 * another. Of a file written just now nothing is remembered.
 */
function markOf (place) {
  const { mtimeMs, ctimeMs, size } = statSync(join(ROOT, place))
  return ctimeMs > Date.now() - TICK_MS ? undefined : `${mtimeMs} ${ctimeMs} ${size}`
}

async function writeAll (files, isTest) {
  const { transform, formatMessages } = await import('esbuild')
  const results = await Promise.allSettled(files.map(async ([out, place]) => { await write(transform, { out, place, isTest }) }))
  const reasons = results.filter(({ status }) => status === 'rejected').map(({ reason }) => reason)
  const unexpected = reasons.find(({ errors }) => errors === undefined)
  if (unexpected !== undefined) throw unexpected
  if (reasons.length === 0) return
  const messages = await formatMessages(reasons.flatMap(({ errors }) => errors), { kind: 'error', color: process.stderr.isTTY === true })
  throw new BuildError(messages.join('').trimEnd())
}

async function write (transform, { out, place, isTest }) {
  const [file, source] = [join(ROOT, out), join(ROOT, place)]
  const content = readFileSync(source)
  if (!place.endsWith('.ts')) return put(file, content)

  const sourcefile = isTest ? source : relative(dirname(file), source)
  const { code, map } = await transform(content, { ...OPTIONS, sourcefile, ...(isTest ? asTest(source) : { sourcemap: true }) }).catch(error => {
    for (const { location } of error.errors ?? []) if (location) location.file = place
    throw error
  })
  if (isTest) return put(file, code)
  put(`${file}.map`, map)
  put(file, `${code}//# sourceMappingURL=${basename(file)}.map\n`, out === 'dist/main.js' ? 0o755 : 0o644)
}

/** Whole or not at all, for a gateway or another run may be reading it. */
function put (file, content, mode = 0o644) {
  const half = `${file}.${process.pid}`
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(half, content, { mode })
  renameSync(half, file)
}

/** A half of another build that goes on at the same time, not of one that was ended. */
function isBeingWritten (place) {
  const [, pid] = /\.(\d+)$/.exec(place) ?? []
  if (pid === undefined) return false
  try {
    return process.kill(Number(pid), 0)
  } catch (error) { return error.code === 'EPERM' }
}

const OPTIONS = {
  loader: 'ts',
  format: 'esm',
  target: 'node20',
  sourcesContent: false,
  tsconfigRaw: { compilerOptions: { verbatimModuleSyntax: true, target: 'ES2023' } }
}

function asTest (source) {
  return {
    sourcemap: 'inline',
    define: {
      'import.meta.url': JSON.stringify(pathToFileURL(source).href),
      'import.meta.filename': JSON.stringify(source),
      'import.meta.dirname': JSON.stringify(dirname(source))
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await compile({ isTest: process.argv.includes('--tests') }).catch(error => {
    if (!(error instanceof BuildError)) throw error
    console.error(error.message)
    process.exitCode = 1
  })
}
