/**
 * Room on the disk for the few bytes that it takes to begin. On a full disk a
 * new process could not even lock what the one before it left, and draining
 * that is what would make room.
 */
import { closeSync, existsSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const RESERVED_BYTES = 64 * 1024

/** Sees to it that there is a reserve in a folder, if the disk allows it. Never throws. */
export function fillReserve (root: string): void {
  const file = fileIn(root)
  if (existsSync(file)) return
  try {
    const descriptor = openSync(file, 'wx', 0o600)
    try {
      writeSync(descriptor, Buffer.alloc(RESERVED_BYTES, 'x'))
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  } catch {
    rmSync(file, { force: true }) // half of one would be taken for a whole; the next time may do
  }
}

/** Gives up the reserve when an error says that the disk is full. @returns whether that made room */
export function useReserve (root: string, error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException
  if (!['ENOSPC', 'EDQUOT'].includes(code) || !existsSync(fileIn(root))) return false
  rmSync(fileIn(root), { force: true })
  return true
}

function fileIn (root: string): string {
  return join(root, 'reserve')
}
