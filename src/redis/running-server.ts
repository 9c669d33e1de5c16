/**
 * Finds the server of a running gateway in its data directory, for a command that
 * does not own the directory.
 */
import { realpathSync } from 'node:fs'
import { askServer } from './server-probe.js'
import { readServerRecord } from './server-record.js'
import type { RedisTarget } from './target.js'

/** @returns `null` if no server that works in this directory answers */
export async function findRunningServer (dataDir: string): Promise<RedisTarget | null> {
  let path: string
  try {
    path = realpathSync(dataDir)
  } catch {
    return null
  }
  const record = readServerRecord(path)
  if (record === null) return null
  const answer = await askServer(record.socket)
  return answer.kind === 'server' && answer.dir === path ? { kind: 'socket', path: record.socket } : null
}
