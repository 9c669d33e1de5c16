/**
 * The alerts of this process, in memory and in a file of the data directory,
 * so that a gateway which is restarted can tell that something is over.
 *
 * A file that cannot be written or read costs only that: a disk that is full
 * must not keep anybody from being told that it is.
 */
import { readFileSync } from 'node:fs'
import { replaceFile } from '../disk/whole-file.js'
import type { Alert } from '../model/alert.js'
import { within } from '../time/within.js'
import type { AlertStore } from './alerts.js'

/** A disk that takes longer has failed, milliseconds. */
const DISK_WITHIN_MS = 3_000

/**
 * @param file  of this process alone; the same after a restart
 */
export function createOwnStore (file: string): AlertStore {
  let alerts = readFile(file)
  let written = JSON.stringify(alerts)
  let writing = Promise.resolve()

  async function write (text: string): Promise<void> {
    writing = writing.catch(() => {}).then(async () => {
      await replaceFile(file, text)
      written = text
    })
    await within(DISK_WITHIN_MS, writing, () => { throw new Error(`the disk took longer than ${DISK_WITHIN_MS} ms`) })
  }

  return {
    read: async () => alerts,
    async save (next) {
      const text = JSON.stringify(next)
      try {
        if (text !== written) await write(text)
      } finally {
        alerts = [...next] // not before it is on the disk: who has read it may count on it
      }
    }
  }
}

function readFile (file: string): Alert[] {
  try {
    const found: unknown = JSON.parse(readFileSync(file, 'utf8'))
    return Array.isArray(found) ? found as Alert[] : []
  } catch {
    return []
  }
}
