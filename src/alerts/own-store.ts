/**
 * The alerts of this process, in memory and in a file of the data directory, so
 * that a gateway can report after a restart that a condition has ended.
 *
 * If the file cannot be written or read, only this is lost: a full disk must not
 * prevent the alert about it.
 */
import { readFileSync } from 'node:fs'
import { replaceFile } from '../disk/whole-file.js'
import type { Alert } from '../model/alert.js'
import { within } from '../time/within.js'
import type { AlertStore } from './alerts.js'

/** A disk that takes longer counts as failed, milliseconds. */
const DISK_WITHIN_MS = 3_000

/**
 * @param file  belongs to this process; has the same name after a restart
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
        alerts = [...next] // only after it is on the disk, because its reader relies on it
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
