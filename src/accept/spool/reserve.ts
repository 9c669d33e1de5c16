/**
 * Reserves space on the disk for the few bytes of a start. On a full disk, a new
 * process could not even lock the files of the previous one, and only draining
 * these files frees space.
 */
import { closeSync, existsSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const RESERVED_BYTES = 64 * 1024

/** Makes sure that a folder has a reserve, if the disk has space. Never throws. */
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
    rmSync(file, { force: true }) // a partial reserve would be taken for a whole one; the next call may succeed
  }
}

/** Frees the reserve if an error says that the disk is full. @returns whether that freed space */
export function useReserve (root: string, error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException
  if (!['ENOSPC', 'EDQUOT'].includes(code) || !existsSync(fileIn(root))) return false
  rmSync(fileIn(root), { force: true })
  return true
}

function fileIn (root: string): string {
  return join(root, 'reserve')
}
