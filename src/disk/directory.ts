/** Directories whose names survive a power loss. */
import { mkdir, open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

/** Makes a directory and its parents, for this user alone. @throws errors of the file system */
export async function makeDirectory (path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = resolve(path); made.length >= resolve(first).length; made = dirname(made)) await syncDirectory(dirname(made))
}

/** Makes the names in a directory survive a power loss. @throws errors of the file system */
export async function syncDirectory (path: string): Promise<void> {
  const handle = await open(path, 'r')
  try { await handle.sync() } finally { await handle.close() }
}
