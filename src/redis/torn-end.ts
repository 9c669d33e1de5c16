/**
 * A write that was cut short, by a full disk or a power loss, leaves a torn
 * end in the append-only file. Redis itself (7.0.15 measured) cuts off the torn
 * command only: the beginning of its transaction stays, and is carried out, by
 * half, at the start after the next. So our server refuses a torn file, and
 * the program that checks such files cuts off the whole transaction, which
 * nobody was told had been written.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'

/** What a server that refuses a torn file says last. */
export const TORN = /Unexpected end of file reading the append only file/

export interface TornFile {
  /** Path of the server's executable. */
  program: string
  dataDir: string
  /** Aborted: the check ends, and nothing is whole. */
  signal?: AbortSignal
}

/** @returns whether the end is whole now; not when the program cannot check files, as behind a wrapper of another name */
export async function cutTornEnd ({ program, dataDir, signal }: TornFile): Promise<boolean> {
  const manifest = join(dataDir, 'appendonlydir', 'appendonly.aof.manifest')
  // Until 7.0 there was one file.
  const file = existsSync(manifest) ? manifest : join(dataDir, 'appendonly.aof')
  // Server and checker are one executable, which looks at what it is called.
  const checker = spawn(program, ['--fix', file], {
    argv0: basename(program).replace('server', 'check-aof'), stdio: ['pipe', 'ignore', 'ignore'], env: {}, signal
  })
  checker.stdin.on('error', () => {}).end('y\n')
  const [code] = await once(checker, 'exit').catch(() => [null])
  return code === 0
}
