/**
 * Identifies a process by its pid and its start, because pids are reused.
 *
 * A process that has ended, but whose parent has not noticed (a zombie), counts as
 * dead.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** Identifies a process for another process. */
export interface ProcessMark {
  pid: number
  /** Its start, in the format of the system: only for comparison. */
  startedAt: string
}

/**
 * The mark of a living process.
 *
 * @returns `null` if no process has this pid, or it has ended
 */
export async function markOf (pid: number): Promise<ProcessMark | null> {
  if (!Number.isInteger(pid) || pid < 1) return null
  const startedAt = process.platform === 'linux' ? await startInProc(pid) : await startFromPs(pid)
  return startedAt === null ? null : { pid, startedAt }
}

/** Whether the process of this mark still lives. */
export async function isAlive (mark: ProcessMark): Promise<boolean> {
  return (await markOf(mark.pid))?.startedAt === mark.startedAt
}

/** Linux: ticks since boot, field 22 of `stat`, and which boot that was. @see man 5 proc */
async function startInProc (pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (stat === null) return null
  // The second field is the program's name in parentheses and may contain anything.
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (state === 'Z' || state === 'X') return null
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  return `${boot.trim()}/${rest[18] ?? ''}`
}

/** macOS and the BSDs. */
async function startFromPs (pid: number): Promise<string | null> {
  const args = ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)]
  const line = await promisify(execFile)('ps', args, { env: { ...process.env, LC_ALL: 'C' } })
    .then(({ stdout }) => stdout.trim(), () => '')
  const [state = '', ...start] = line.split(/\s+/)
  return state === '' || state.startsWith('Z') ? null : start.join(' ')
}
