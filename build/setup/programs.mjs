/**
 * The programs that no npm package has: a Redis or Valkey server, and openssl
 * for the tests. Where one is missing the system's package manager installs
 * it: as root at once, on a terminal after a question, otherwise not; then the
 * command is told. No server is left running.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { isOnPath } from './path.mjs'
import { FAILED, INSTALL_FIRST, say, Stop } from './stop.mjs'

const APT = fileURLToPath(new URL('apt.sh', import.meta.url))

const PROGRAMS = {
  redis: { names: ['redis-server', 'valkey-server'], says: 'redis-server (or valkey-server)' },
  openssl: { names: ['openssl'], says: 'openssl' }
}

/** What each is called, what we run, and what somebody can run who types it. */
const MANAGERS = [
  {
    program: 'apt-get',
    redis: () => 'redis-server',
    run: packages => ['sh', APT, ...packages],
    told: (packages, sudo) => `${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends ${packages.join(' ')}`
  },
  { program: 'dnf', redis: dnfRedis, run: packages => ['dnf', 'install', '-y', ...packages] },
  { program: 'apk', redis: () => 'redis', run: packages => ['apk', 'add', '--no-cache', ...packages] },
  { program: 'brew', redis: () => 'redis', run: packages => ['brew', 'install', ...packages], isOfUser: true }
]

/**
 * @param wanted  keys of PROGRAMS
 * @throws        Stop, when one is missing and was not installed
 */
export async function installPrograms (wanted) {
  const missing = missingOf(wanted)
  if (missing.length === 0) return
  const what = `${missing.map(key => PROGRAMS[key].says).join(' and ')} ${missing.length > 1 ? 'are' : 'is'} missing`
  const manager = MANAGERS.find(({ program }) => isOnPath(program))
  if (manager === undefined) {
    throw new Stop(`${what}, and neither ${MANAGERS.map(({ program }) => program).join(' nor ')} is here to install it: ` +
      'install it as your system does, so that it is on PATH, and run this again', INSTALL_FIRST)
  }

  const command = commandOf(manager, missing.map(key => key === 'redis' ? manager.redis() : key))
  const mayRun = command.isAllowed && (command.isAtOnce || await isAgreed(what, command.told))
  if (!mayRun) throw new Stop(`${what}. Install ${missing.length > 1 ? 'them' : 'it'}${command.as}, and run this again:\n  ${command.told}`, INSTALL_FIRST)
  if (command.isAtOnce) say(`${what}: ${command.told}`)
  run(command)
  const still = missingOf(wanted)
  if (still.length > 0) throw new Stop(`${manager.program} has ended well, and ${PROGRAMS[still[0]].says} is not on PATH: look where it is, and run this again`, FAILED)
}

function missingOf (wanted) {
  const chosen = process.env.RELAY_REDIS_BIN ?? ''
  if (chosen !== '' && !isOnPath(chosen)) {
    throw new Stop(`RELAY_REDIS_BIN names ${chosen}, and that is no program: correct it, or unset it`, INSTALL_FIRST)
  }
  return wanted.filter(key => !(key === 'redis' && chosen !== '') && !PROGRAMS[key].names.some(isOnPath))
}

/** How this user can have it run here. */
function commandOf (manager, packages) {
  const isRoot = execFileSync('id', ['-u'], { encoding: 'utf8' }).trim() === '0'
  const isReady = isRoot !== (manager.isOfUser === true) // brew refuses root, the others refuse everybody else
  const needsSudo = !isReady && !isRoot
  const hasSudo = needsSudo && isOnPath('sudo')
  const words = manager.run(packages)
  const sudo = hasSudo ? 'sudo ' : ''
  return {
    words: hasSudo ? ['sudo', ...words] : words,
    told: manager.told?.(packages, sudo) ?? `${sudo}${words.join(' ')}`,
    as: isReady || hasSudo ? '' : isRoot ? ' as a user that is not root' : ' as root',
    isAllowed: isReady || hasSudo,
    isAtOnce: isReady && isRoot,
    program: manager.program
  }
}

/** Asks, where there is somebody to ask. */
async function isAgreed (what, told) {
  const isCi = !['', 'false', undefined].includes(process.env.CI)
  if (isCi || !process.stdin.isTTY || !process.stderr.isTTY) return false
  say(`${what}. This mends it, and leaves no server running:\n  ${told}`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr, terminal: false })
  const answer = await new Promise(resolve => {
    terminal.question('Now? [Y/n] ', resolve)
    terminal.once('close', () => { resolve('no') })
  })
  terminal.close()
  return /^(y|yes)?$/i.test(answer.trim())
}

function run ({ words: [program, ...args], told, program: manager }) {
  const { status, signal, error } = spawnSync(program, args, { stdio: ['inherit', 2, 2] })
  if (status === 0) return
  throw new Stop(`${manager} ended with ${status ?? signal ?? error?.code}; its last lines, above, say why. When that is mended, run this again, or this:\n  ${told}`, FAILED)
}

/** Red Hat's before 10 have no valkey, Fedora's of today have no redis. */
function dnfRedis () {
  const file = process.env.RELAY_OS_RELEASE ?? '/etc/os-release'
  let release = ''
  try {
    release = readFileSync(file, 'utf8')
  } catch {} // not said: as today's
  const value = key => new RegExp(`^${key}="?([^"\n]*)`, 'm').exec(release)?.[1] ?? ''
  const isRedHats = /\b(rhel|centos)\b/.test(`${value('ID')} ${value('ID_LIKE')}`)
  return isRedHats && Number.parseInt(value('VERSION_ID'), 10) < 10 ? 'redis' : 'valkey'
}
