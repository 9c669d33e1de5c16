/**
 * `redis-server.json` in the data directory: the process and the socket of our
 * server, for the next gateway after a crash.
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '../disk/whole-file.js'
import { directoryMark } from './data-dir.js'
import type { ProcessMark } from './process-mark.js'

export interface ServerRecord {
  /** `null` during the start, while its pid is unknown. */
  mark: ProcessMark | null
  socket: string
}

/** Replaces the record in one step. @throws errors of the file system */
export async function writeServerRecord (dataDir: string, record: ServerRecord): Promise<void> {
  await replaceFile(fileIn(dataDir), JSON.stringify({ ...record, directory: directoryMark(dataDir) }))
}

/** @returns `null` if there is none, if it cannot be read, or if it belongs to a directory of which this is a copy */
export function readServerRecord (dataDir: string): ServerRecord | null {
  try {
    const { mark, socket, directory } = JSON.parse(readFileSync(fileIn(dataDir), 'utf8')) as Partial<ServerRecord & { directory: string }>
    if (typeof socket !== 'string' || mark === undefined) return null
    if (directory !== undefined && directory !== directoryMark(dataDir)) return null
    if (mark === null) return { mark, socket }
    return typeof mark.pid === 'number' && typeof mark.startedAt === 'string' ? { mark, socket } : null
  } catch {
    return null
  }
}

/** Removes the record of a server that has ended. */
export function removeServerRecord (dataDir: string): void {
  rmSync(fileIn(dataDir), { force: true })
}

function fileIn (dataDir: string): string {
  return join(dataDir, 'redis-server.json')
}
