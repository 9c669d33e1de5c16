/**
 * Processes that outlived the test that started them. Every suite has a
 * temporary directory of its own, and whatever it starts works in it, has it on
 * its command line or in its environment: so it is found, whoever its parent is
 * by now.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

export interface Leftover { pid: number, command: string }

/** A process that was killed needs a moment to be gone. */
const LOOKS = 50
const PAUSE_MS = 100

/** Kills what is still there after some seconds, and says what it was. @param dir  the suite's temporary directory */
export async function endLeftovers (dir: string): Promise<Leftover[]> {
  const left = await untilGone(dir)
  for (const { pid } of left) {
    try { process.kill(pid, 'SIGKILL') } catch { /* gone by itself */ }
  }
  return left
}

/** @returns those that are still there after some seconds */
async function untilGone (dir: string): Promise<Leftover[]> {
  for (let look = 1; ; look++) {
    const left = processesIn(dir)
    if (left.length === 0 || look === LOOKS) return left
    await wait(PAUSE_MS)
  }
}

/** Those that live and have to do with this directory, but for this one. */
export function processesIn (dir: string): Leftover[] {
  return (process.platform === 'linux' ? ofProc(dir) : ofPs(dir)).filter(({ pid }) => pid !== process.pid)
}

function ofProc (dir: string): Leftover[] {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name)).flatMap(name => {
    const command = tell(name, 'cmdline').replaceAll('\0', ' ').trim()
    // A process that is over and waits for its parent to hear of it has no command line.
    if (command === '') return []
    return [command, tell(name, 'cwd'), tell(name, 'environ')].some(text => text.includes(dir)) ? [{ pid: Number(name), command }] : []
  })
}

function tell (pid: string, what: 'cmdline' | 'cwd' | 'environ'): string {
  try {
    return what === 'cwd' ? readlinkSync(`/proc/${pid}/cwd`) : readFileSync(`/proc/${pid}/${what}`, 'utf8')
  } catch { return '' } // it ended meanwhile, or is somebody else's
}

function ofPs (dir: string): Leftover[] {
  return execFileSync('ps', ['-axwwE', '-o', 'pid=,command='], { encoding: 'utf8' }).split('\n')
    .filter(line => line.includes(dir))
    .map(line => ({ pid: Number.parseInt(line, 10), command: line.trim().replace(/^\d+ /, '').slice(0, 200) }))
}
