/** Processes that a test or a run has started: none outlives it, not even when it ends by an error. */
import type { ChildProcess } from 'node:child_process'

const children = new Set<ChildProcess>()
process.once('exit', () => { for (const child of children) child.kill('SIGKILL') })

/** From now on it ends with this process at the latest. */
export function endWithUs (child: ChildProcess): void {
  children.add(child)
  child.once('exit', () => { children.delete(child) })
}
