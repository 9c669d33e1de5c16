/**
 * The folder for data that cannot be accepted: a damaged part of a file, or a
 * callback that this release cannot read. The gateway never removes it; an
 * operator inspects and removes it.
 */
import { mkdirSync, readdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { syncDirectory } from '../../disk/directory.js'
import type { Segment } from './segment.js'

export interface SetAside {
  /**
   * Writes bytes to a file of their own; the same part twice makes one file.
   *
   * @param why  the end of its name
   * @returns    the path of the file, when it is on the disk
   * @throws     errors of the file system
   */
  keep (from: Pick<Segment, 'path'>, start: number, kept: { why: 'damaged' | 'refused', bytes: Buffer }): Promise<string>
  /** The number of files. */
  count (): number
}

/** @param root  `spool.dir` */
export function createSetAside (root: string): SetAside {
  const directory = join(root, 'set-aside')
  return {
    async keep ({ path }, start, { why, bytes }) {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      const file = join(directory, `${basename(path)}-${start}.${why}`)
      const handle = await open(file, 'w', 0o600)
      try {
        await handle.writeFile(bytes)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await syncDirectory(directory)
      return file
    },
    count () {
      try { return readdirSync(directory).length } catch { return 0 }
    }
  }
}
