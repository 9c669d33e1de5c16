/**
 * Two commands, and nothing before them: what build/setup does in a clone that
 * has nothing, and what it says where it cannot go on.
 */
import { readFileSync, renameSync, rmSync, utimesSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Linter } from 'eslint'
import t, { type Test } from '../support/tap.js'
import { hasTerminal, makeClone, type FreshClone, type LockedPackage } from './fresh-clone.js'

const ROOT = resolve(import.meta.dirname, '../..')
const SETUP = 'build/setup.cjs'
const NPM_CI = 'npm ci --include=dev --no-audit --no-fund'
const SILENCE = { code: 0, out: '', err: '' }

/** All is there: installed by hand, built. */
async function readyClone (t: Test, packages: Record<string, LockedPackage> = {}): Promise<FreshClone> {
  const clone = makeClone(t)
  clone.lock(packages)
  clone.install()
  t.match(await clone.run(SETUP), { code: 0 })
  t.strictSame(clone.calls(), [], 'what was installed by hand is not installed again')
  return clone
}

/** What is left to do is to look for programs: there is nothing to build from. */
function builtClone (t: Test): FreshClone {
  const clone = makeClone(t)
  rmSync(clone.path('src'), { recursive: true })
  return clone
}

const AGES: ReadonlyArray<[version: string, isOld: boolean]> = [
  ['6.17.1', true], ['18.20.8', true], ['20.18.3', true], ['20.19.0', false], ['22.1.0', false], ['100.0.0', false]
]
for (const [version, isOld] of AGES) {
  t.test(`Node ${version} is ${isOld ? 'told to be too old, before anything is touched' : 'new enough'}`, async t => {
    const clone = makeClone(t)
    if (!isOld) clone.install()
    const preload = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`
    const { code, err } = await clone.run(SETUP, { preload })
    t.equal(code, isOld ? 2 : 0)
    t.equal(err, isOld ? `setup: Node.js ${version} is too old: install 20.19 or newer from https://nodejs.org/en/download\n` : '')
    t.strictSame(clone.calls(), [])
    t.equal(clone.has('dist'), !isOld)
  })
}

t.test('a Node of any age can read the file that looks at its age', async t => {
  const faults = new Linter().verify(readFileSync(join(ROOT, SETUP), 'utf8'), [{ files: ['**'], languageOptions: { ecmaVersion: 6, sourceType: 'commonjs' } }])
  t.strictSame(faults, [])
})

t.test('an installation that takes long says so, and what it may wait for', async t => {
  const clone = makeClone(t)
  clone.program('npm', 'sleep 1; echo "npm error code EAI_AGAIN" >&2; exit 1')
  const { code, err } = await clone.run(SETUP, { preload: 'const real = setInterval; globalThis.setInterval = (work, ms) => real(work, ms / 400)' })
  t.equal(code, 1)
  t.match(err, /npm has been at it for \d+ s\. .*\(npm ping tells\)\n[^]*setup: npm's registry cannot be reached/)
})

t.test('a fresh clone gets its packages, told first, and a build', async t => {
  const clone = makeClone(t)
  const { code, out, err } = await clone.run(SETUP)
  t.equal(code, 0)
  t.equal(out, '', 'standard output is for results')
  t.match(err, /^setup: npm ci --include=dev .* installs the packages/)
  t.strictSame(clone.calls(), [NPM_CI])
  t.match(clone.read('dist/main.js'), /greeting = "one"/)
  t.notOk(clone.has('.compiled'), 'the demo needs no tests')
  t.strictSame(await clone.run(SETUP), SILENCE)
})

t.test('the tests get theirs as well', async t => {
  const clone = makeClone(t)
  t.match(await clone.run(SETUP, { args: ['--tests'] }), { code: 0 })
  t.match(clone.read('.compiled/test/a.test.js'), /title = "a"/)
  t.ok(clone.has('dist/main.js'))
})

t.test('when all is there it says nothing, runs nothing, and does not load what builds', async t => {
  const clone = await readyClone(t)
  await clone.run(SETUP, { args: ['--tests'] })
  const { version } = JSON.parse(clone.read('node_modules/esbuild/package.json')) as { version: string }
  rmSync(clone.path('node_modules/esbuild'))
  clone.write('node_modules/esbuild/package.json', JSON.stringify({ name: 'esbuild', version, main: 'main.js' }))
  clone.write('node_modules/esbuild/main.js', 'throw new Error("loaded")')
  t.strictSame(await clone.run(SETUP, { args: ['--tests'] }), SILENCE)
  t.strictSame(clone.calls(), [])
})

/** What happens to a clone that was ready, after which its packages are installed again. */
const STALE: Record<string, (clone: FreshClone) => void> = {
  'the lock file names another version': clone => { clone.lock({ 'node_modules/left': { version: '1.0.1' } }) },
  'the lock file names other bytes': clone => { clone.lock({ 'node_modules/left': { version: '1.0.0', integrity: 'sha512-b' } }) },
  'the lock file names one more': clone => {
    clone.lock({ 'node_modules/left': { version: '1.0.0', integrity: 'sha512-a' }, 'node_modules/right': { version: '1.0.0' } })
  },
  'an install was interrupted': clone => { rmSync(clone.path('node_modules/.package-lock.json')) },
  'node_modules is gone': clone => { rmSync(clone.path('node_modules'), { recursive: true }) },
  'what development needs was pruned': clone => {
    clone.write('node_modules/.package-lock.json', JSON.stringify({ packages: { 'node_modules/left': { version: '1.0.0', integrity: 'sha512-a' } } }))
  }
}
for (const [what, happen] of Object.entries(STALE)) {
  t.test(`packages are installed again, once, when ${what}`, async t => {
    const clone = await readyClone(t, { 'node_modules/left': { version: '1.0.0', integrity: 'sha512-a' } })
    happen(clone)
    t.match(await clone.run(SETUP), { code: 0, err: /^setup: npm ci/ })
    t.strictSame(clone.calls(), [NPM_CI])
    t.strictSame(await clone.run(SETUP), SILENCE)
  })
}

t.test('a package for another system is not missed, one for this system is', async t => {
  const clone = await readyClone(t)
  clone.lock({
    'node_modules/theirs': { version: '1.0.0', optional: true, os: ['plan9'], cpu: [process.arch] },
    'node_modules/maybe': { version: '1.0.0', optional: true, os: [process.platform], cpu: [process.arch], libc: ['musl'] },
    'node_modules/part-of-theirs': { version: '1.0.0', optional: true }
  })
  t.strictSame(await clone.run(SETUP), SILENCE)
  t.strictSame(clone.calls(), [])
  clone.lock({ 'node_modules/ours': { version: '1.0.0', optional: true, os: [process.platform], cpu: [process.arch] } })
  await clone.run(SETUP)
  t.strictSame(clone.calls(), [NPM_CI])
})

t.test('a package that npm left out, as it may an optional one, is not tried again with every run', async t => {
  const clone = await readyClone(t)
  const installed = clone.read('package-lock.json')
  clone.lock({ 'node_modules/ours': { version: '1.0.0', optional: true, os: [process.platform], cpu: [process.arch] } })
  clone.write('installed.json', installed)
  clone.program('npm', 'cp installed.json node_modules/.package-lock.json')
  t.match(await clone.run(SETUP), { code: 0 })
  t.strictSame(await clone.run(SETUP), SILENCE)
  t.strictSame(clone.calls(), [NPM_CI])
})

t.test('what somebody installed beside the locked packages stays', async t => {
  const clone = await readyClone(t)
  const { packages } = JSON.parse(clone.read('node_modules/.package-lock.json')) as { packages: object }
  clone.write('node_modules/.package-lock.json', JSON.stringify({ packages: { ...packages, 'node_modules/mine': { version: '1.0.0' } } }))
  t.strictSame(await clone.run(SETUP), SILENCE)
  t.strictSame(clone.calls(), [])
})

/** How npm ends, and what is made of it. */
const NPM_FAILS: ReadonlyArray<[says: string, words: string, sentence: RegExp]> = [
  ['a registry without an address', 'npm error code ENOTFOUND', /registry cannot be reached \(ENOTFOUND\): look at the network/],
  ['a name server that is silent', 'npm ERR! code EAI_AGAIN', /registry cannot be reached \(EAI_AGAIN\)/],
  ['a registry that is down', 'npm error code ECONNREFUSED', /registry cannot be reached \(ECONNREFUSED\)/],
  ['a registry that says nothing', 'npm error code ETIMEDOUT', /registry cannot be reached \(ETIMEDOUT\)/],
  ['a full disk', 'npm error code ENOSPC\nnpm error path /big/node_modules', /disk is full \(ENOSPC\) at \/big\/node_modules: make room/],
  ['a disk that was full for a file in an archive', 'npm warn tar TAR_ENTRY_ERROR ENOSPC: no space left\nnpm error code EINTEGRITY', /disk is full \(ENOSPC\) at .*relay: make room/],
  ['a folder of somebody else', 'npm error code EACCES\nnpm error path /theirs', /\/theirs may not be written \(EACCES\): make it yours/],
  ['anything else', 'npm error code E403', /npm ci ended with 7; its last lines, above, say why/]
]
for (const [says, words, sentence] of NPM_FAILS) {
  t.test(`${says} is a sentence with a next step`, async t => {
    const clone = makeClone(t)
    clone.program('npm', `cat >&2 <<'END'\n${words}\nEND\nexit 7`)
    const { code, err } = await clone.run(SETUP)
    t.equal(code, 1)
    t.ok(err.includes(words), 'npm\'s own words are shown')
    t.match(err.trimEnd().split('\n').at(-1), sentence)
    t.match(err.trimEnd().split('\n').at(-1), /run this again/)
    t.notMatch(err, /^ +at /m)
    t.notOk(clone.has('dist'))
  })
}

t.test('a machine without npm is told where it comes from', async t => {
  const clone = makeClone(t)
  clone.without('npm')
  t.match(await clone.run(SETUP), { code: 2, err: /^setup: npm is not on PATH: .*https:\/\/nodejs\.org/ })
})

/** What happens to a source, and what is in dist/ then. */
const CHANGES: Record<string, { happen: (clone: FreshClone) => void, then: (t: Test, clone: FreshClone) => void }> = {
  'a source was changed': {
    happen (clone) { clone.write('src/main.ts', 'export const greeting: string = "two"\n') },
    then (t, clone) { t.match(clone.read('dist/main.js'), /"two"/) }
  },
  'a source was changed, and has its time and size of before': {
    happen (clone) {
      clone.write('src/main.ts', 'export const greeting: string = "six"\n')
      utimesSync(clone.path('src/main.ts'), 1, 1)
    },
    then (t, clone) { t.match(clone.read('dist/main.js'), /"six"/) }
  },
  'an older file took the place of a source': {
    happen (clone) {
      clone.write('older.ts', 'export const greeting: string = "zero"\n')
      utimesSync(clone.path('older.ts'), 1, 1)
      renameSync(clone.path('older.ts'), clone.path('src/main.ts'))
    },
    then (t, clone) { t.match(clone.read('dist/main.js'), /"zero"/) }
  },
  'a source was added': {
    happen (clone) { clone.write('src/model/more.ts', 'export const more = 1\n') },
    then (t, clone) { t.ok(clone.has('dist/model/more.js')) }
  },
  'a source was removed': {
    happen (clone) { rmSync(clone.path('src/other.ts')) },
    then (t, clone) {
      t.notOk(clone.has('dist/other.js'))
      t.notOk(clone.has('dist/other.js.map'))
    }
  },
  'what was built is gone': {
    happen (clone) { rmSync(clone.path('dist/main.js')) },
    then (t, clone) { t.match(clone.read('dist/main.js'), /"one"/) }
  },
  'a build was interrupted': {
    happen (clone) {
      clone.write('src/main.ts', 'export const greeting: string = "two"\n')
      clone.write('dist/main.js', 'export const gree')
      clone.write('dist/main.js.999999999', 'export')
    },
    then (t, clone) {
      t.match(clone.read('dist/main.js'), /"two"/)
      t.notOk(clone.has('dist/main.js.999999999'))
    }
  }
}
for (const [what, { happen, then }] of Object.entries(CHANGES)) {
  t.test(`it is built again when ${what}`, async t => {
    const clone = makeClone(t)
    clone.write('src/other.ts', 'export const other = 1\n')
    utimesSync(clone.path('src/main.ts'), 1, 1)
    await clone.run(SETUP)
    happen(clone)
    t.strictSame(await clone.run(SETUP), SILENCE)
    then(t, clone)
  })
}

t.test('a source that was written in the same moment is built again: it may have changed after it was read', async t => {
  const clone = makeClone(t)
  const preload = 'Date.now = () => 0'
  await clone.run(SETUP, { preload })
  clone.write('dist/main.js', 'of that moment')
  await clone.run(SETUP)
  t.match(clone.read('dist/main.js'), /"one"/)
})

t.test('what esbuild cannot read is told in its words, for every file, without a stack', async t => {
  const clone = makeClone(t)
  clone.write('src/main.ts', 'export const = 1\n')
  clone.write('src/other.ts', 'let 1\n')
  const { code, err } = await clone.run(SETUP)
  t.equal(code, 1)
  t.match(err, /\[ERROR\] Expected identifier but found "="/)
  t.match(err, /src\/main\.ts:1:13:/)
  t.match(err, /src\/other\.ts:1:4:/)
  t.notMatch(err, /^ +at /m)
  t.match(await clone.run('build/compile.mjs'), { code: 1, err: /src\/main\.ts:1:13:/ }, 'npm run build tells the same')
  clone.write('src/main.ts', 'export const greeting: string = "two"\n')
  rmSync(clone.path('src/other.ts'))
  t.strictSame(await clone.run(SETUP), SILENCE)
})

t.test('without src/ there is nothing to install or build: the package as it is published', async t => {
  const clone = makeClone(t)
  rmSync(clone.path('src'), { recursive: true })
  rmSync(clone.path('package-lock.json'))
  clone.write('dist/main.js', '')
  t.strictSame(await clone.run(SETUP), SILENCE)
  t.strictSame(clone.calls(), [])
  t.strictSame(await clone.run('build/prepare.mjs'), SILENCE)
  t.match(await clone.run('build/compile.mjs'), { code: 1, err: /no src\// })
  t.ok(clone.has('dist/main.js'), 'and nothing of it goes')
})

t.test('npm\'s prepare builds where it can, and else does nothing and succeeds', async t => {
  const clone = makeClone(t)
  t.strictSame(await clone.run('build/prepare.mjs'), SILENCE, 'without esbuild, as after npm ci --omit=dev')
  clone.install()
  t.strictSame(await clone.run('build/prepare.mjs', { env: { RELAY_SETUP: 'installing' } }), SILENCE)
  t.notOk(clone.has('dist'), 'the set-up builds by itself, once')
  t.strictSame(await clone.run('build/prepare.mjs'), SILENCE)
  t.ok(clone.has('dist/main.js'))
})

t.test('the set-up tells npm\'s prepare that it runs', async t => {
  const clone = makeClone(t)
  clone.program('npm', `test "$RELAY_SETUP" = installing || exit 1\n${readFileSync(join(clone.bin, 'npm'), 'utf8').split('\n')[2]!}`)
  t.match(await clone.run(SETUP), { code: 0 })
})

t.test('valkey-server will do, and so will what RELAY_REDIS_BIN names', async t => {
  const clone = builtClone(t)
  clone.without('redis-server')
  clone.program('valkey-server')
  t.strictSame(await clone.run(SETUP), SILENCE)
  clone.without('valkey-server')
  clone.program('my-redis')
  t.strictSame(await clone.run(SETUP, { env: { RELAY_REDIS_BIN: join(clone.bin, 'my-redis') } }), SILENCE)
  t.strictSame(await clone.run(SETUP, { env: { RELAY_REDIS_BIN: 'my-redis' } }), SILENCE)
  t.match(await clone.run(SETUP, { env: { RELAY_REDIS_BIN: '/nowhere/redis' } }), { code: 2, err: /RELAY_REDIS_BIN names \/nowhere\/redis.* correct it, or unset it/ })
})

t.test('without a package manager that it knows it says what to install', async t => {
  const clone = builtClone(t)
  clone.without('redis-server')
  const { code, err } = await clone.run(SETUP)
  t.equal(code, 2)
  t.match(err, /^setup: redis-server \(or valkey-server\) is missing, and neither apt-get nor dnf nor apk nor brew is here.* on PATH, and run this again\n$/)
})

const ROCKY_9 = 'NAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n'
const FEDORA = 'ID=fedora\nVERSION_ID=42\n'

/** What somebody who is not root types, and what root is spared from typing. */
const MANAGERS: ReadonlyArray<[manager: string, release: string, told: string, run: string[]]> = [
  ['apt-get', '', 'sudo apt-get update && sudo apt-get install -y --no-install-recommends redis-server openssl',
    ['apt-get update -qq', 'apt-get install -y -qq --no-install-recommends redis-server openssl']],
  ['dnf', FEDORA, 'sudo dnf install -y valkey openssl', ['dnf install -y valkey openssl']],
  ['dnf', ROCKY_9, 'sudo dnf install -y redis openssl', ['dnf install -y redis openssl']],
  ['dnf', ROCKY_9.replace('9.4', '10.0'), 'sudo dnf install -y valkey openssl', ['dnf install -y valkey openssl']],
  ['apk', '', 'sudo apk add --no-cache redis openssl', ['apk add --no-cache redis openssl']]
]

/** Built, and nothing but this package manager; it installs what it is asked to. */
function bareClone (t: Test, manager: string, release = ''): FreshClone & { env: NodeJS.ProcessEnv } {
  const clone = builtClone(t)
  clone.without('redis-server')
  clone.without('openssl')
  clone.write('os-release', release)
  const put = (name: string): string => `cp '${join(clone.bin, 'id')}' '${join(clone.bin, name)}'`
  clone.program(manager, `case "$*" in *redis*|*valkey*) ${put('redis-server')}; ${put('openssl')};; esac`)
  return { ...clone, env: { RELAY_OS_RELEASE: clone.path('os-release') } }
}

for (const [manager, release, told, run] of MANAGERS) {
  const name = `${manager}${/\bID="?(\w+)/.exec(release)?.[1]?.replace(/^/, ' of ') ?? ''}${/VERSION_ID="?([\d.]+)/.exec(release)?.[1]?.replace(/^/, ' ') ?? ''}`
  t.test(`${name}: nobody is asked without a terminal, the one command is told and nothing runs`, async t => {
    const { env, ...clone } = bareClone(t, manager, release)
    const { code, err } = await clone.run(SETUP, { args: ['--tests'], env })
    t.equal(code, 2)
    t.equal(err, `setup: redis-server (or valkey-server) and openssl are missing. Install them, and run this again:\n  ${told}\n`)
    t.strictSame(clone.calls(), [])
  })

  t.test(`${name}: root has it installed at once, told first`, async t => {
    const { env, ...clone } = bareClone(t, manager, release)
    clone.program('id', 'echo 0')
    const { code, out, err } = await clone.run(SETUP, { args: ['--tests'], env: { ...env, CI: 'true' } })
    t.equal(code, 0, err)
    t.equal(out, '')
    t.equal(err, `setup: redis-server (or valkey-server) and openssl are missing: ${told.replaceAll('sudo ', '')}\n`)
    t.strictSame(clone.calls(), run)
    t.strictSame(await clone.run(SETUP, { args: ['--tests'], env }), SILENCE)
  })
}

t.test('who is not root and has no sudo is told to be root', async t => {
  const { env, ...clone } = bareClone(t, 'apk')
  clone.without('sudo')
  t.match(await clone.run(SETUP, { env }), { code: 2, err: 'Install it as root, and run this again:\n  apk add --no-cache redis\n' })
})

t.test('brew is for a user: no sudo, and not as root', async t => {
  const { env, ...clone } = bareClone(t, 'brew')
  t.match(await clone.run(SETUP, { env }), { code: 2, err: 'Install it, and run this again:\n  brew install redis\n' })
  clone.program('id', 'echo 0')
  t.match(await clone.run(SETUP, { env }), { code: 2, err: 'Install it as a user that is not root, and run this again:\n  brew install redis\n' })
  t.strictSame(clone.calls(), [])
})

t.test('apt-get asks nothing, and the package it installs may start no service, now or later', async t => {
  const { env, ...clone } = bareClone(t, 'apt-get')
  clone.program('systemctl')
  const policy = join(clone.bin, '../policy-rc.d')
  clone.program('id', 'echo 0')
  clone.program('apt-get', `case "$1" in install) '${policy}'; echo "policy $? $DEBIAN_FRONTEND" >>'${join(clone.bin, '../calls')}'; cp '${join(clone.bin, 'id')}' '${join(clone.bin, 'redis-server')}';; esac`)
  t.match(await clone.run(SETUP, { env }), { code: 0 })
  t.strictSame(clone.calls(), ['apt-get update -qq', 'apt-get install -y -qq --no-install-recommends redis-server', 'policy 101 noninteractive', 'systemctl disable redis-server.service'])
  t.notOk(clone.has('../policy-rc.d'), 'and the machine is as before')
})

t.test('a package manager that fails, and one that installs something else, are sentences', async t => {
  const { env, ...clone } = bareClone(t, 'apt-get')
  clone.program('id', 'echo 0')
  clone.program('apt-get', 'echo "E: no mirror" >&2; exit 100')
  const failed = await clone.run(SETUP, { env })
  t.match(failed, { code: 1, err: /E: no mirror\nsetup: apt-get ended with 100; .* run this again, or this:\n {2}apt-get update && / })
  t.notOk(clone.has('../policy-rc.d'))
  clone.program('apt-get')
  t.match(await clone.run(SETUP, { env }), { code: 1, err: /apt-get has ended well, and redis-server \(or valkey-server\) is not on PATH/ })
})

/** What is answered at a terminal, and what is run then. */
const ANSWERS: ReadonlyArray<[says: string, answer: string, code: number, run: string[]]> = [
  ['yes', 'y', 0, ['sudo apk add --no-cache redis', 'apk add --no-cache redis']],
  ['nothing but Enter is yes', '', 0, ['sudo apk add --no-cache redis', 'apk add --no-cache redis']],
  ['no', 'n', 2, []],
  ['anything else is no', 'what?', 2, []]
]
for (const [says, answer, code, run] of ANSWERS) {
  t.test(`on a terminal it asks: ${says}`, { skip: hasTerminal ? false : 'no script(1) of util-linux here' }, async t => {
    const { env, ...clone } = bareClone(t, 'apk')
    const ended = await clone.runOnTerminal(SETUP, { answer, env })
    t.equal(ended.code, code, ended.out)
    t.match(ended.out, /is missing\. This mends it, and leaves no server running:\r\n {2}sudo apk add --no-cache redis\r\nNow\? \[Y\/n\] /)
    t.strictSame(clone.calls(), run)
  })
}

t.test('who is at a terminal and hands in no answers is not asked', { skip: hasTerminal ? false : 'no script(1) of util-linux here' }, async t => {
  const { env, ...clone } = bareClone(t, 'apk')
  const { code, out } = await clone.runOnTerminal(`${SETUP} </dev/null`, { answer: 'y', env })
  t.equal(code, 2)
  t.notMatch(out, 'Now?')
  t.strictSame(clone.calls(), [])
})

t.test('CI is never asked, terminal or not', { skip: hasTerminal ? false : 'no script(1) of util-linux here' }, async t => {
  const { env, ...clone } = bareClone(t, 'apk')
  const { code, out } = await clone.runOnTerminal(SETUP, { answer: 'y', env: { ...env, CI: 'true' } })
  t.equal(code, 2)
  t.match(out, 'run this again:\r\n  sudo apk add --no-cache redis')
  t.strictSame(clone.calls(), [])
})

t.test('whatever runs tests sets up first, and npm start never does', async t => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
  const compiled = Object.keys(scripts).filter(name => scripts[name]!.startsWith('exec node build/run.mjs .compiled/'))
  t.ok(compiled.includes('test') && compiled.includes('bench') && compiled.length > 6)
  for (const name of compiled) t.equal(scripts[`pre${name}`], 'node build/setup.cjs --tests', name)
  t.equal(scripts['predemo'], 'node build/setup.cjs')
  t.equal(scripts['prestart'], undefined)
  t.equal(scripts['start'], 'exec node build/run.mjs dist/main.js start')
})
