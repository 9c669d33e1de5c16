/**
 * Where measures keep their data: directories on the disk whose fsync is part
 * of what is measured, removed when a stage closes.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Stage } from './stage.js'

/** A new directory under `base`, gone with the stage. */
export function makePlace (stage: Stage, base: string): string {
  mkdirSync(base, { recursive: true })
  const dir = mkdtempSync(join(resolve(base), 'bench-'))
  stage.add(() => { rmSync(dir, { recursive: true, force: true }) })
  return dir
}
