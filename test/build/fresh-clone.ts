/**
 * A small clone in a temporary directory, with the real build/ and a PATH of
 * its own: what runs there finds stand-ins for npm and the package managers,
 * which write down how they were called, and nothing else of this machine.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import type { Test } from '../support/tap.js'

const ROOT = resolve(import.meta.dirname, '../..')
/** What the stand-ins are written with. */
const TOOLS = ['sh', 'cat', 'chmod', 'cp', 'ln', 'mkdir', 'rm', 'sleep']

export interface Ended { code: number | null, out: string, err: string }

export interface LockedPackage {
  version: string
  integrity?: string
  optional?: boolean
  os?: string[]
  cpu?: string[]
  libc?: string[]
}

interface RunOptions {
  args?: string[]
  env?: NodeJS.ProcessEnv
  /** Loaded before it, as source. */
  preload?: string
}

export interface FreshClone {
  dir: string
  /** Where the stand-ins are. */
  bin: string
  /** Relative to the clone. */
  path (place: string): string
  read (place: string): string
  write (place: string, text: string): void
  has (place: string): boolean
  /** A stand-in; `sh` is what it does after it has written down how it was called. */
  program (name: string, sh?: string): void
  /** Takes a stand-in away. */
  without (name: string): void
  /** What package-lock.json names, beside esbuild. */
  lock (packages: Record<string, LockedPackage>): void
  /** As `npm ci` by hand leaves it. */
  install (): void
  /** How the stand-ins were called, in order, since the last time it was asked. */
  calls (): string[]
  run (script: string, options?: RunOptions): Promise<Ended>
  /** On a terminal: whoever sits there answers the first question. */
  runOnTerminal (script: string, options: { answer: string, env?: NodeJS.ProcessEnv }): Promise<Ended>
}

const ESBUILD = join(ROOT, 'node_modules/esbuild')
const ESBUILD_VERSION = (JSON.parse(readFileSync(join(ESBUILD, 'package.json'), 'utf8')) as { version: string }).version

/** What npm leaves behind. */
const INSTALL = `mkdir -p node_modules; rm -rf node_modules/esbuild; ln -s '${ESBUILD}' node_modules/esbuild; cp package-lock.json node_modules/.package-lock.json`

/** Nothing is installed, every program is there, and the user is not root. */
export function makeClone (t: Test): FreshClone {
  const dir = mkdtempSync(join(tmpdir(), 'fresh-clone-'))
  t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })
  const clone = cloneIn(dir)
  cpSync(join(ROOT, 'build'), clone.path('build'), { recursive: true })
  for (const folder of ['src', 'test', 'bench', 'chaos', 'soak', clone.bin, '../tools']) mkdirSync(resolve(clone.dir, folder), { recursive: true })
  for (const tool of TOOLS) symlinkSync(whereIs(tool), join(dir, 'tools', tool))
  cpSync(join(ROOT, 'package.json'), clone.path('package.json'))
  clone.lock({})
  clone.write('src/main.ts', 'export const greeting: string = "one"\n')
  clone.write('test/a.test.ts', 'export const title: string = "a"\n')
  clone.program('npm', INSTALL)
  for (const name of ['redis-server', 'openssl']) clone.program(name)
  clone.program('id', 'echo 1000')
  clone.program('sudo', 'exec "$@"')
  return clone
}

function cloneIn (dir: string): FreshClone {
  const [root, bin, log] = [join(dir, 'relay'), join(dir, 'bin'), join(dir, 'calls')]
  const path = (place: string): string => join(root, place)
  const environment = { PATH: [bin, join(dir, 'tools')].join(delimiter), HOME: dir, SHELL: '/bin/sh', RELAY_POLICY_RC_D: join(dir, 'policy-rc.d') }
  const clone: FreshClone = {
    dir: root,
    bin,
    path,
    read: place => readFileSync(path(place), 'utf8'),
    has: place => existsSync(path(place)),
    write (place, text) {
      mkdirSync(dirname(path(place)), { recursive: true })
      writeFileSync(path(place), text)
    },
    program (name, sh = '') {
      const isSilent = name === 'id' // it is asked, and changes nothing
      writeFileSync(join(bin, name), `#!/bin/sh\n${isSilent ? '' : `echo "${name}\${*:+ $*}" >>'${log}'\n`}${sh}\n`)
      chmodSync(join(bin, name), 0o755)
    },
    without (name) { rmSync(join(bin, name)) },
    lock (packages) {
      const all = { '': {}, 'node_modules/esbuild': { version: ESBUILD_VERSION }, ...packages }
      writeFileSync(path('package-lock.json'), JSON.stringify({ packages: all }))
    },
    install () {
      mkdirSync(path('node_modules'))
      symlinkSync(ESBUILD, path('node_modules/esbuild'))
      cpSync(path('package-lock.json'), path('node_modules/.package-lock.json'))
    },
    calls () {
      const lines = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []
      rmSync(log, { force: true })
      return lines
    },
    async run (script, { args = [], env = {}, preload } = {}) {
      if (preload !== undefined) writeFileSync(join(dir, 'preload.cjs'), preload)
      const before = preload === undefined ? [] : ['--require', join(dir, 'preload.cjs')]
      return await ended([process.execPath, ...before, script, ...args], { cwd: root, env: { ...environment, ...env } })
    },
    async runOnTerminal (script, { answer, env = {} }) {
      const words = [SCRIPT, '--quiet', '--return', '--command', `'${process.execPath}' ${script}`, '/dev/null']
      return await ended(words, { cwd: root, env: { ...environment, ...env }, answer })
    }
  }
  return clone
}

const SCRIPT = '/usr/bin/script'
/** Of util-linux; the one of the BSDs takes other words. */
export const hasTerminal = process.platform === 'linux' && existsSync(SCRIPT)

interface Place { cwd: string, env: NodeJS.ProcessEnv, answer?: string }

async function ended ([program, ...args]: string[], { cwd, env, answer }: Place): Promise<Ended> {
  const child = spawn(program!, args, { cwd, env })
  const said = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text
    if (answer === undefined || !said.out.includes('[Y/n] ')) return
    child.stdin.write(`${answer}\n`)
    answer = undefined
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { said.err += text })
  const [code] = await once(child, 'close') as [number | null]
  return { code, ...said }
}

function whereIs (tool: string): string {
  const place = process.env['PATH']!.split(delimiter).map(folder => join(folder, tool)).find(file => {
    try {
      accessSync(file)
      return true
    } catch { return false }
  })
  return place!
}
