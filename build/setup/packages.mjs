/**
 * The packages that package-lock.json names, in node_modules: installed where
 * one is missing or another, left alone otherwise, whoever installed them.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isOnPath } from './path.mjs'
import { FAILED, INSTALL_FIRST, say, Stop, stopForFile } from './stop.mjs'

/** The packages of development too, whatever NODE_ENV says: one of them builds. */
const NPM_CI = ['ci', '--include=dev', '--no-audit', '--no-fund']

/** npm says nothing for minutes before it gives up a registry; it tries as often, and sooner. Milliseconds; whoever has set them is obeyed. */
const IMPATIENCE = { npm_config_fetch_retry_mintimeout: '1000', npm_config_fetch_retry_maxtimeout: '5000' }

/** npm shows nothing of its own where it has no terminal, whether it downloads or waits. Milliseconds. */
const TELL_EVERY_MS = 20_000

const NO_REGISTRY = [
  'ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ERR_SOCKET_TIMEOUT', 'ENETUNREACH', 'EHOSTUNREACH', 'FETCH_ERROR'
]

/** @throws Stop, when npm could not install them */
export async function installPackages (root) {
  const lock = readFileSync(join(root, 'package-lock.json'), 'utf8')
  if (isRemembered(root, lock)) return
  if (!areInstalled(root, lock)) await runNpm(root)
  remember(root, lock)
}

/** Changes with what is to be there, and whenever npm changes what is there. */
function markOf (root, lock) {
  const { mtimeMs, size } = statSync(join(root, 'node_modules/.package-lock.json'))
  return [createHash('sha256').update(lock).digest('hex'), mtimeMs, size, process.platform, process.arch].join(' ')
}

const markFile = root => join(root, 'node_modules/.relay-setup')

function isRemembered (root, lock) {
  try {
    return readFileSync(markFile(root), 'utf8') === markOf(root, lock)
  } catch { return false } // nothing is installed, or not by us
}

/** Without it, the next run looks closer once more; a clone that is only to be read is no reason to stop. */
function remember (root, lock) {
  try {
    writeFileSync(markFile(root), markOf(root, lock))
  } catch {}
}

/** Each package of the lock file is there in its version. One more that somebody put there is theirs. */
function areInstalled (root, lock) {
  const wanted = JSON.parse(lock).packages
  const there = packagesThere(root)
  return Object.entries(wanted).every(([place, { version, integrity, ...about }]) => {
    if (place === '') return true
    if (there[place] === undefined) return !isNeeded(about)
    return there[place].version === version && there[place].integrity === integrity
  })
}

/** npm writes it when an install has come to its end. */
function packagesThere (root) {
  try {
    return JSON.parse(readFileSync(join(root, 'node_modules/.package-lock.json'), 'utf8')).packages
  } catch { return {} }
}

/** An optional package is for some systems; where it does not say for which C library, or for which system at all, npm decides. */
function isNeeded ({ optional = false, os, cpu, libc }) {
  if (!optional) return true
  const suits = (names, own) => names !== undefined && names.includes(own)
  return libc === undefined && suits(os, process.platform) && suits(cpu, process.arch)
}

async function runNpm (root) {
  if (!isOnPath('npm')) {
    throw new Stop('npm is not on PATH: it comes with Node.js; install both from https://nodejs.org/en/download', INSTALL_FIRST)
  }
  say(`npm ${NPM_CI.join(' ')}: installs the packages that package-lock.json names, some 280 MB, in node_modules`)
  const env = { ...IMPATIENCE, ...process.env, RELAY_SETUP: 'installing' } // prepare.mjs leaves the build to us
  const npm = spawn('npm', NPM_CI, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text
      process.stderr.write(text)
    })
  }
  const since = Date.now()
  const teller = setInterval(() => {
    const seconds = Math.round((Date.now() - since) / 1_000)
    say(`npm has been at it for ${seconds} s. If the network is slow, wait; if it cannot reach its registry, it gives up by itself (npm ping tells)`)
  }, TELL_EVERY_MS)
  const [code, signal] = await once(npm, 'close').finally(() => { clearInterval(teller) })
  if (code !== 0) throw explain(output, { root, ending: code ?? signal })
}

/** What npm's last words come to. */
function explain (output, { root, ending }) {
  const [, code] = /^npm (?:error|ERR!) code (\S+)/m.exec(output) ?? []
  const [, place] = /^npm (?:error|ERR!) path (.+)/m.exec(output) ?? []
  const codes = [code, ...['ENOSPC', ...NO_REGISTRY].filter(one => output.includes(one))]
  const full = stopForFile(codes.find(one => one === 'ENOSPC') ?? code, place ?? root)
  if (full !== undefined) return full
  const unreachable = codes.find(one => NO_REGISTRY.includes(one))
  if (unreachable !== undefined) {
    return new Stop(`npm's registry cannot be reached (${unreachable}): look at the network, and at the registry and proxy that npm config list shows, and run this again`, FAILED)
  }
  return new Stop(`npm ci ended with ${ending}; its last lines, above, say why. When that is mended, run this again`, FAILED)
}
