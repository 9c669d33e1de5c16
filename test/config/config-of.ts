/** A configuration from a text, as a file of that text would give it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../src/config/config.js'
import { loadConfig } from '../../src/config/load.js'

/** @throws when the text has faults, with all of them */
export async function configOf (text: string, env: Record<string, string> = {}): Promise<Config> {
  const dir = mkdtempSync(join(tmpdir(), 'relay-config-'))
  try {
    const file = join(dir, 'config.yaml')
    writeFileSync(file, text)
    const loaded = await loadConfig({ file, env })
    if ('faults' in loaded) throw new Error(JSON.stringify(loaded.faults, null, 2))
    return loaded.config
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
