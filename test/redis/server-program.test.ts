/**
 * Which program is run, and what a user without one is told.
 */
import t from '../support/tap.js'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findServerProgram } from '../../src/redis/server-program.js'

const folder = mkdtempSync(join(tmpdir(), 'relay-programs-'))
t.teardown(() => { rmSync(folder, { recursive: true, force: true }) })

/** A program that says this when asked for its version. */
function program (name: string, says: string): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\necho '${says}'\n`, { mode: 0o755 })
  return path
}

const old = program('redis-server', 'Redis server v=5.0.7 sha=00000000:0 malloc=libc bits=64 build=1')
const valkey = program('valkey-server', 'Valkey server v=8.1.0 sha=00000000:0 malloc=libc bits=64 build=1')

t.test('the one on PATH is used', async t => {
  t.match(await findServerProgram({ PATH: process.env['PATH'] }), { path: /(redis|valkey)-server$/, version: /^\d+\.\d+\.\d+$/ })
})

t.test('valkey-server is used when redis-server is too old', async t => {
  t.strictSame(await findServerProgram({ PATH: folder }), { path: valkey, version: '8.1.0' })
})

t.test('RELAY_REDIS_BIN is used before PATH, as a path or a name', async t => {
  t.equal((await findServerProgram({ PATH: process.env['PATH'], RELAY_REDIS_BIN: valkey })).path, valkey)
  t.equal((await findServerProgram({ PATH: folder, RELAY_REDIS_BIN: 'valkey-server' })).path, valkey)
})

const INSTALL = '(apt-get install redis-server|brew install redis)'

/** What is refused, and with which words. */
const REFUSED: ReadonlyArray<[says: string, env: Record<string, string>, words: RegExp]> = [
  ['no program on PATH', { PATH: '/nonexistent' }, /^no redis-server or valkey-server on PATH/],
  ['an empty PATH', {}, /^no redis-server or valkey-server on PATH/],
  ['a program that is no Redis', { RELAY_REDIS_BIN: '/bin/false' }, /\/bin\/false does not answer --version like a Redis/],
  ['a missing file', { RELAY_REDIS_BIN: '/nonexistent/redis-server' }, /\/nonexistent\/redis-server is not an executable file/],
  ['a name that is not on PATH', { PATH: folder, RELAY_REDIS_BIN: 'keydb' }, /keydb is not an executable file/],
  ['an old version', { RELAY_REDIS_BIN: old }, /version 5\.0\.7 and 6\.2 or newer is needed/]
]
for (const [says, env, words] of REFUSED) {
  t.test(`${says} is refused in one line with the command that installs it`, async t => {
    const error = await findServerProgram(env).catch((error: Error) => error) as Error
    t.match(error, { code: 'REDIS_MISSING', message: words })
    t.match(error.message, new RegExp(INSTALL))
    t.notMatch(error.message, /\n/)
  })
}
