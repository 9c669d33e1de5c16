/** Host names for gateways of their own process: what each resolves to can be changed while they run. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NAMES = fileURLToPath(new URL('names.mjs', import.meta.url))

/** An IPv4 address; or nobody knows the name; or the name server says nothing for three seconds, and then that it failed. */
export type NameAnswer = string | 'unknown' | 'silent'

export interface TestNames {
  /** What a process is to be started with. */
  env: NodeJS.ProcessEnv
  /** From the next question on. */
  set (hostname: string, answer: NameAnswer): void
  remove (): void
}

/** Knows no name at first. */
export function makeNames (): TestNames {
  const dir = mkdtempSync(join(tmpdir(), 'relay-names-'))
  const file = join(dir, 'names.json')
  const names: Record<string, NameAnswer> = {}
  // By another file: nobody may read half of it.
  const write = (): void => {
    writeFileSync(`${file}.next`, JSON.stringify(names))
    renameSync(`${file}.next`, file)
  }
  write()
  return {
    env: { NODE_OPTIONS: `--import=${NAMES}`, NAMES: file },
    set (hostname, answer) {
      names[hostname] = answer
      write()
    },
    remove () { rmSync(dir, { recursive: true, force: true }) }
  }
}
