/**
 * The token that the gateway makes for itself is whole, private and kept.
 */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from '../support/tap.js'
import { adminTokenFile, readOrMakeAdminToken } from '../../src/gateway/admin-token.js'

function directory (t: { teardown: (end: () => void) => unknown }): string {
  const dir = mkdtempSync(join(tmpdir(), 'relay-token-'))
  t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })
  return dir
}

t.test('it is made once, readable by its owner alone, and leaves nothing beside it', async t => {
  const dir = join(directory(t), 'data')
  const token = await readOrMakeAdminToken(dir)
  t.match(token, /^[\w-]{43}$/)
  t.equal(await readOrMakeAdminToken(dir), token)
  t.equal(statSync(adminTokenFile(dir)).mode & 0o777, 0o600)
  t.strictSame(readdirSync(dir), ['admin-token'])
})

t.test('a file left readable for others is made private', async t => {
  const dir = directory(t)
  const token = await readOrMakeAdminToken(dir)
  writeFileSync(adminTokenFile(dir), token + '\n', { mode: 0o644 })
  await readOrMakeAdminToken(dir)
  t.equal(statSync(adminTokenFile(dir)).mode & 0o777, 0o600)
})

t.test('an empty or foreign file is refused, saying what to do: it would lock everybody out', async t => {
  for (const content of ['', 'short\n', 'x'.repeat(44)]) {
    const dir = directory(t)
    writeFileSync(adminTokenFile(dir), content)
    await t.rejects(readOrMakeAdminToken(dir), { code: 'CONFIG_INVALID', message: /remove it and start again/ })
  }
})
