/**
 * Runs tests on a machine that is made rough: both cores are kept busy by
 * others, and every twenty seconds all processes of the run stand still for
 * half a second to two and a half, as on a shared machine that stops.
 *
 *   npm run test:rough                      every test but those that measure, once
 *   npm run test:rough -- --times 3         three times
 *   npm run test:rough -- journey/holds     some of them
 *   npm run test:rough -- --every 5         rougher: about every five seconds, finds more in less time
 *
 * Ends with 0 when every run passed. Linux only.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { processesIn } from './leftovers.js'
import { TIERS } from './suites.js'

const SHORTEST_MS = 500
const LONGEST_MS = 2_500

const { values, positionals: words } = parseArgs({ allowPositionals: true, options: { times: { type: 'string', default: '1' }, every: { type: 'string', default: '20' } } })
const [times, everyMs] = [numberOf('times'), numberOf('every') * 1_000]
const busy = Array.from({ length: availableParallelism() }, () => spawn(process.execPath, ['--eval', 'for (;;) {}'], { stdio: 'ignore' }))
process.once('exit', () => { for (const child of busy) child.kill('SIGKILL') })
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { stop.abort() })

for (let time = 1; time <= times && !stop.signal.aborted; time++) {
  console.log(`\nrough run ${time} of ${times}`)
  if (!await roughRun()) process.exitCode = 1
}
if (stop.signal.aborted) process.exitCode = 1
for (const child of busy) child.kill('SIGKILL')

/** @returns what was asked for; ends the process when that is no number */
function numberOf (name: 'times' | 'every'): number {
  const number = Number(values[name])
  if (number > 0 && Number.isFinite(number)) return number
  console.error(`--${name} ${values[name]} is no number: give one above 0.`)
  process.exit(2)
}

/** @returns whether all passed */
async function roughRun (): Promise<boolean> {
  const dir = mkdtempSync(join(tmpdir(), 'rr-'))
  const tiers = TIERS.flatMap(tier => ['--tier', tier])
  const run = spawn(process.execPath, ['.compiled/test/run/main.js', ...tiers, '--without', 'bench-smoke', ...words], {
    env: { ...process.env, TMPDIR: dir }, stdio: ['ignore', 'inherit', 'inherit']
  })
  const over = new AbortController()
  stop.signal.addEventListener('abort', () => {
    over.abort()
    run.kill('SIGTERM') // it ends its suites, and what they have started
  }, { once: true })
  const ended = once(run, 'exit').finally(() => { over.abort() }) as Promise<[number | null]>
  const freezes = await freezeNowAndThen(dir, over.signal)
  const [code] = await ended
  rmSync(dir, { recursive: true, force: true })
  console.log(`stood still ${freezes.length} times, ${(freezes.reduce((sum, ms) => sum + ms, 0) / 1_000).toFixed(1)} s in all`)
  return code === 0
}

/** @returns how long each freeze was, milliseconds */
async function freezeNowAndThen (dir: string, over: AbortSignal): Promise<number[]> {
  const freezes: number[] = []
  while (!over.aborted) {
    await wait(everyMs * (0.5 + Math.random()), null, { signal: over }).catch(() => {})
    if (over.aborted) break
    const forMs = SHORTEST_MS + Math.random() * (LONGEST_MS - SHORTEST_MS)
    // What a test has stopped itself is the test's to continue.
    const frozen = processesIn(dir).map(({ pid }) => pid).filter(pid => !isStopped(pid))
    for (const pid of frozen) send(pid, 'SIGSTOP')
    await wait(forMs)
    for (const pid of frozen) send(pid, 'SIGCONT')
    freezes.push(forMs)
  }
  return freezes
}

function isStopped (pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.startsWith('T')
  } catch { return true } // it is gone
}

function send (pid: number, signal: NodeJS.Signals): void {
  try { process.kill(pid, signal) } catch { /* it is gone */ }
}
