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
import type { AlertStore } from './alerts.js'

/**
 * @param file  of this process alone; the same after a restart
 */
export function createOwnStore (file: string): AlertStore {
  let alerts = readFile(file)
  let written = JSON.stringify(alerts)
  return {
    read: async () => alerts,
    async save (next) {
      alerts = [...next]
      const text = JSON.stringify(alerts)
      if (text === written) return
      await replaceFile(file, text)
      written = text
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
