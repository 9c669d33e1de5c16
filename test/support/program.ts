/** Programs of the project's own, written in TypeScript, that run as a process beside the tests. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endWithUs } from './children.js'

const ROOT = resolve(import.meta.dirname, '../..')

/**
 * What to hand to `node` for such a program.
 *
 * @param from  `import.meta.url` of whoever starts it
 * @param path  of its source from there: `./fixtures/owner.ts`
 * @returns     the compiled one
 */
export function programAt (from: string, path: string): string {
  return compiled(resolve(dirname(fileURLToPath(from)), path))
}

/**
 * Runs one to its end; never rejects because of its exit code.
 *
 * @param path  of its source from the project's root: `bench/main.ts`
 * @returns     `output`: all that it printed; `code`: null when a signal ended it
 */
export async function runProgram (path: string, args: readonly string[]): Promise<{ code: number | null, output: string }> {
  const child = spawn(process.execPath, [compiled(resolve(ROOT, path)), ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  endWithUs(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  const [code] = await once(child, 'close') as [number | null]
  return { code, output }
}

function compiled (source: string): string {
  return source.replace(ROOT, resolve(ROOT, '.compiled')).replace(/\.ts$/, '.js')
}
