/** Takes a running process what it needs from its system: descriptors, room on its disks. Linux only. */
import { execFile, execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Whether it can be done here. */
export function mayLimit (): boolean {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' })
    return process.platform === 'linux'
  } catch { return false }
}

/** Descriptors that a process has open now. */
export function openedBy (pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** From now on it opens a descriptor only while it has fewer than `most`. */
export async function limitDescriptors (pid: number, most: number): Promise<void> {
  await run('prlimit', ['--pid', String(pid), `--nofile=${most}:`])
}

/** As many as it could have had from the start. */
export async function freeDescriptors (pid: number): Promise<void> {
  const { stdout } = await run('prlimit', ['--pid', String(pid), '--nofile', '--output', 'HARD', '--noheadings', '--raw'])
  await limitDescriptors(pid, Number(stdout))
}

/** From now on no file that it writes grows beyond so many bytes: to it, the disk is full. */
export async function limitFiles (pid: number, bytes: number | 'unlimited'): Promise<void> {
  await run('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`, '--core=0:'])
}
