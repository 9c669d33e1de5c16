/** Runs one suite to its end, in a process and a temporary directory of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { countTap, type Count } from './count.js'
import { endLeftovers } from './leftovers.js'
import { hardLimitOf, type Suite } from './suites.js'

export interface SuiteResult {
  suite: Suite
  count: Count
  seconds: number
  cpuSeconds: number
  /** All that it printed. */
  tapFile: string
  /** What it said beside its results. */
  noise: string
}

/** Beyond the limit of a test: a suite that prints nothing for so long is ended, milliseconds. */
const SILENCE_MS = 30_000
/** Told to end, it says what it waits for, and is killed after that, milliseconds. */
const LAST_WORDS_MS = 5_000

/** What a test process must not inherit: it would be loaded into every process that a test starts, or change what tap prints. */
const NOT_HANDED_ON = /^(NODE_OPTIONS|FORCE_COLOR|RELAY_.*|TAP.*|npm_.*)$/

/**
 * Runs it; resolves whatever becomes of it.
 *
 * @param signal  aborted: it is ended at once
 * @param bail    it ends with the first test that fails
 */
export async function runSuite (suite: Suite, { signal, bail = false }: { signal: AbortSignal, bail?: boolean }): Promise<SuiteResult> {
  const dir = mkdtempSync(join(tmpdir(), 'rt-'))
  const began = performance.now()
  const child = spawn(process.execPath, ['--enable-source-maps', '.compiled/test/run/suite.js'], {
    env: { ...environmentOf(suite, dir), TAP_BAIL: bail ? '1' : '0' }, stdio: ['ignore', 'pipe', 'pipe']
  })
  let tap = ''
  let noise = ''
  const silence = watchSilence(hardLimitOf(suite.files[0]!) + SILENCE_MS, () => {
    noise += `${suite.name} said nothing for too long, and was ended\n`
    child.kill('SIGALRM')
    setTimeout(() => { child.kill('SIGKILL') }, LAST_WORDS_MS).unref()
  })
  const abort = (): void => { child.kill('SIGKILL') }
  signal.addEventListener('abort', abort, { once: true })
  child.stdout.setEncoding('utf8').on('data', (text: string) => { tap += text; silence.broken() })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { noise += text; silence.broken() })
  const [code, signalName] = await once(child, 'close') as [number | null, string | null]
  silence.end()
  signal.removeEventListener('abort', abort)

  const count = countTap(tap, code ?? signalName ?? 1)
  for (const { pid, command } of await endLeftovers(dir)) count.failed.push(`${suite.name} left a process running: ${pid} ${command}`)
  rmSync(dir, { recursive: true, force: true })
  return {
    suite,
    count,
    seconds: (performance.now() - began) / 1_000,
    cpuSeconds: Number(/^# cpu=([\d.]+)$/m.exec(tap)?.[1] ?? 0),
    tapFile: keep(suite, tap + noise),
    noise
  }
}

function environmentOf ({ files }: Suite, dir: string): NodeJS.ProcessEnv {
  const rest = Object.entries(process.env).filter(([name]) => !NOT_HANDED_ON.test(name) || name === 'RELAY_REDIS_BIN')
  // tap's root has a limit of its own; here each test has one, and silence ends what hangs.
  return { ...Object.fromEntries(rest), TMPDIR: dir, TAP_TIMEOUT: '86400', SUITE_FILES: files.join(' ') }
}

function keep ({ name }: Suite, text: string): string {
  mkdirSync('.tap', { recursive: true })
  const file = join('.tap', `${name.replace(/\W+/g, '-')}.tap`)
  writeFileSync(file, text)
  return file
}

function watchSilence (ms: number, tooLong: () => void): { broken: () => void, end: () => void } {
  let timer = setTimeout(tooLong, ms)
  return {
    broken () {
      clearTimeout(timer)
      timer = setTimeout(tooLong, ms)
    },
    end () { clearTimeout(timer) }
  }
}
