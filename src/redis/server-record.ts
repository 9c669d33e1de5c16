/**
 * `redis-server.json` in the data directory: which process is our server and
 * where it listens, for the next gateway when this one dies.
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '../disk/whole-file.js'
import { directoryMark } from './data-dir.js'
import type { ProcessMark } from './process-mark.js'

export interface ServerRecord {
  /** `null` while it is being started: its id is not known yet. */
  mark: ProcessMark | null
  socket: string
}

/** Replaces the record in one step. @throws what the file system throws */
export async function writeServerRecord (dataDir: string, record: ServerRecord): Promise<void> {
  await replaceFile(fileIn(dataDir), JSON.stringify({ ...record, directory: directoryMark(dataDir) }))
}

/** @returns `null` when there is none, none that can be read, or that of a directory of which this is a copy */
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

/** Forgets the server, which has ended. */
export function removeServerRecord (dataDir: string): void {
  rmSync(fileIn(dataDir), { force: true })
}

function fileIn (dataDir: string): string {
  return join(dataDir, 'redis-server.json')
}
