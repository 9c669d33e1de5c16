/** A file is whole or absent whenever its writer dies, and never open to more than its mode says. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from '../support/tap.js'
import { createFile, replaceFile, withDraft } from '../../src/disk/whole-file.js'
import { programAt } from '../support/program.js'

const PROGRAM = programAt(import.meta.url, './fixtures/dies-between.ts')
const OLD = 'old '.repeat(1_000)
const NEW = 'new '.repeat(30_000)
/** More calls than any write makes. */
const MOST_CALLS = 20

function directory (t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'relay-disk-'))
  t.teardown(() => { rmSync(path, { recursive: true, force: true }) })
  return path
}

/** What is under a name: `undefined` when nothing is. */
function contentOf (file: string): string | undefined {
  try { return readFileSync(file, 'utf8') } catch { return undefined }
}

/** Runs a writer that dies before its Nth call. @returns the calls that it made, and whether it came to its end */
function writeAndDie (args: readonly string[]): { calls: string[], ended: boolean } {
  const { status, signal, stdout } = spawnSync(process.execPath, [PROGRAM, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  if (status !== 0 && signal !== 'SIGKILL') throw new Error(`the writer ended with ${status ?? signal}`)
  return { calls: stdout.split('\n').filter(line => line !== ''), ended: status === 0 }
}

for (const { verb, old, name } of [
  { verb: 'create', old: undefined, name: 'link' },
  { verb: 'replace', old: undefined, name: 'rename' },
  { verb: 'replace', old: OLD, name: 'rename' }
]) {
  t.test(`${verb}: a writer killed before any of its calls leaves ${old === undefined ? 'nothing' : 'the old content'} or all of the new`, async t => {
    for (let n = 1; n <= MOST_CALLS; n++) {
      const dir = directory(t)
      const file = join(dir, 'file')
      if (old !== undefined) writeFileSync(file, old, { mode: 0o600 })
      const { calls, ended } = writeAndDie([verb, file, NEW, String(n)])
      const named = calls.includes(name)
      t.equal(contentOf(file) === NEW, named, `after ${calls.join(', ')}`)
      if (!named) t.equal(contentOf(file) === old, true, `after ${calls.join(', ')}`)
      for (const entry of readdirSync(dir)) t.equal(statSync(join(dir, entry)).mode & 0o777, 0o600, 'and nobody else may read it')
      if (!ended) continue
      t.strictSame(calls.filter(call => ['sync', 'link', 'rename'].includes(call)), ['sync', name, 'sync'], 'content, name and directory are fsynced in this order')
      t.strictSame(readdirSync(dir), ['file'])
      return
    }
    t.fail('the writer never came to its end')
  })
}

t.test('a file has the mode that was asked for from the moment it has its name, and its draft never more', async t => {
  for (let n = 1; n <= MOST_CALLS; n++) {
    const dir = directory(t)
    const { calls, ended } = writeAndDie(['replace', join(dir, 'file'), NEW, String(n), String(0o640)])
    for (const entry of readdirSync(dir)) {
      const mode = statSync(join(dir, entry)).mode & 0o777
      if (entry === 'file') t.equal(mode, 0o640, `after ${calls.join(', ')}`)
      else t.equal(mode & ~0o640, 0, `after ${calls.join(', ')}`)
    }
    if (ended) return
  }
  t.fail('the writer never came to its end')
})

t.test('the umask takes nothing from the mode, and the old mode does not stay', async t => {
  const file = join(directory(t), 'file')
  const before = process.umask(0o077)
  t.teardown(() => { process.umask(before) })
  writeFileSync(file, OLD, { mode: 0o666 })
  await replaceFile(file, NEW, 0o644)
  t.equal(statSync(file).mode & 0o777, 0o644)
  await replaceFile(file, NEW)
  t.equal(statSync(file).mode & 0o777, 0o600)
})

t.test('what is there is not created again; of many, one creates it', async t => {
  const file = join(directory(t), 'file')
  const won = await Promise.all(Array.from({ length: 20 }, async (_, n) => await createFile(file, String(n))))
  t.equal(won.filter(Boolean).length, 1)
  t.equal(contentOf(file), String(won.indexOf(true)))
  t.equal(await createFile(file, 'late'), false)
})

t.test('a draft that a crash left is removed by a later write of the same file; those of today and of others stay', async t => {
  const dir = directory(t)
  const minutesAgo = Date.now() / 1_000 - 120
  for (const name of ['file.new-1', 'file.new-2', 'other.new-1']) writeFileSync(join(dir, name), 'part')
  for (const name of ['file.new-1', 'other.new-1']) utimesSync(join(dir, name), minutesAgo, minutesAgo)
  await replaceFile(join(dir, 'file'), NEW)
  t.strictSame(readdirSync(dir).sort(), ['file', 'file.new-2', 'other.new-1'])
})

t.test('a write that fails leaves what was there, and no draft', async t => {
  const dir = directory(t)
  const file = join(dir, 'file')
  await t.rejects(withDraft(file, { content: NEW }, async () => { throw new Error('no name for it') }), { message: 'no name for it' })
  t.strictSame(readdirSync(dir), [])
  await t.rejects(replaceFile(dir, NEW), 'a directory is not replaced')
  await t.rejects(replaceFile(join(dir, 'absent', 'file'), NEW), { code: 'ENOENT' })
})
