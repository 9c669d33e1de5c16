/** Programs of the tests' own, that run as a process beside them. */
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = resolve(import.meta.dirname, '../..')

/**
 * What to hand to `node` for a program written in TypeScript.
 *
 * @param from  `import.meta.url` of whoever starts it
 * @param path  of its source from there: `./fixtures/owner.ts`
 * @returns     the compiled one
 */
export function programAt (from: string, path: string): string {
  const source = resolve(dirname(fileURLToPath(from)), path)
  return source.replace(ROOT, resolve(ROOT, '.compiled')).replace(/\.ts$/, '.js')
}
