/**
 * A write that a full disk or a power loss cuts short leaves a torn end in the
 * append-only file. Redis itself (measured with 7.0.15) cuts off only the torn
 * command: the beginning of its transaction stays, and the start after the next
 * executes this half. So our server refuses a torn file, and the program that
 * checks such files cuts off the whole transaction, which was never
 * acknowledged.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'

/** The last message of a server that refuses a torn file. */
export const TORN = /Unexpected end of file reading the append only file/

export interface TornFile {
  /** Path of the server's executable. */
  program: string
  dataDir: string
  /** When aborted, the check ends, and the end counts as torn. */
  signal?: AbortSignal
}

/** @returns whether the end is whole now; false if the program cannot check files, as behind a wrapper with another name */
export async function cutTornEnd ({ program, dataDir, signal }: TornFile): Promise<boolean> {
  const manifest = join(dataDir, 'appendonlydir', 'appendonly.aof.manifest')
  // Until 7.0 there was one file.
  const file = existsSync(manifest) ? manifest : join(dataDir, 'appendonly.aof')
  // Server and checker are one executable, which acts by its name.
  const checker = spawn(program, ['--fix', file], {
    argv0: basename(program).replace('server', 'check-aof'), stdio: ['pipe', 'ignore', 'ignore'], env: {}, signal
  })
  checker.stdin.on('error', () => {}).end('y\n')
  const [code] = await once(checker, 'exit').catch(() => [null])
  return code === 0
}
