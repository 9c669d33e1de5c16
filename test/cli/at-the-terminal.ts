/**
 * Runs a command as a person would, in this process: what it writes, what it
 * asks, and how it ends.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Test } from '../support/tap.js'
import type { ProgramDeps } from '../../src/cli/deps.js'
import { runProgram } from '../../src/cli/run.js'
import { terminalOn } from '../../src/cli/terminal.js'
import { runExport, runImport } from '../../src/gateway/transfer.js'

export const PACKAGE_DIR = fileURLToPath(new URL('../..', import.meta.url))

export interface RunOptions {
  env?: Record<string, string>
  /** Terminals of so many columns instead of pipes. */
  columns?: number
  /** What is typed or piped in. */
  input?: string | Buffer
  deps?: Partial<ProgramDeps>
}

export interface Ended {
  code: number
  out: string
  err: string
}

/** Resolves when the command has ended; never rejects. */
export async function run (words: string[], { env = {}, columns, input = '', deps = {} }: RunOptions = {}): Promise<Ended> {
  const shape = columns === undefined ? {} : { isTTY: true, columns }
  const stdin = Object.assign(new PassThrough(), shape)
  const stdout = Object.assign(new PassThrough(), shape)
  const stderr = Object.assign(new PassThrough(), shape)
  stdin.end(input)
  const texts = Promise.all([textOf(stdout), textOf(stderr)])
  const code = await runProgram(words, {
    terminal: terminalOn({ stdin, stdout, stderr }, env),
    env,
    version: '1.2.3',
    packageDir: PACKAGE_DIR,
    startGateway: async () => { throw new Error('this test starts no gateway') },
    findServerProgram: async () => ({ path: '/usr/bin/redis-server', version: '7.0.15' }),
    runExport,
    runImport,
    ...deps
  })
  stdout.end()
  stderr.end()
  const [out, err] = await texts
  return { code, out, err }
}

async function textOf (stream: PassThrough): Promise<string> {
  let text = ''
  stream.on('data', (chunk: Buffer) => { text += chunk.toString('utf8') })
  await once(stream, 'end')
  return text
}

/** A new directory with these files, gone with the test; unlike `t.testdir`, as many as one wants. */
export function folder (t: Test, files: Record<string, string> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'relay-cli-'))
  t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  return dir
}
