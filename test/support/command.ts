/**
 * The built command as a person runs it: a process of its own, everything it
 * says, and the code it ends with.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { MAIN } from './gateway.js'

export interface Ended {
  /** `null` when a signal ended it. */
  code: number | null
  out: string
  err: string
}

export interface CommandOptions {
  /** Instead of nothing but PATH and HOME. */
  env?: Record<string, string>
  cwd?: string
  /** Longer than this and it is killed, milliseconds. */
  atMostMs?: number
}

const AT_MOST_MS = 30_000

/** Runs a command to its end; never rejects because of its exit code. */
export async function runCommand (words: readonly string[], { env = {}, cwd, atMostMs = AT_MOST_MS }: CommandOptions = {}): Promise<Ended> {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: { PATH, HOME, ...env }, ...(cwd === undefined ? {} : { cwd }), stdio: ['ignore', 'pipe', 'pipe']
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => { out += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { err += text })
  const tooLong = setTimeout(() => { child.kill('SIGKILL') }, atMostMs)
  const [code] = await once(child, 'close') as [number | null]
  clearTimeout(tooLong)
  return { code, out, err }
}
