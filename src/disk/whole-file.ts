/**
 * Small files that are whole or absent.
 *
 *   draft, private ──▶ content ──▶ its mode ──▶ fsync ──▶ rename or link ──▶ fsync of the directory
 *
 * Promises that after a crash or a power loss at any point, the name has the old
 * or the new content, never a part; that a file that was reported as written
 * stays; and that at no moment can a user read it whom its mode excludes. A
 * later write of the same file removes a draft that a crash has left.
 */
import { randomUUID } from 'node:crypto'
import { link, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { syncDirectory } from './directory.js'

/** For its owner only. */
const PRIVATE = 0o600

/** An older draft was left by a crash, milliseconds. */
const LEFTOVER_AGE_MS = 60_000

/** The whole content, on the disk under a temporary name. */
export interface Draft {
  /** Gives it this name, replacing an existing file. */
  replace (path: string): Promise<void>
  /** Gives it this name unless a file has it. @returns whether it succeeded */
  claim (path: string): Promise<boolean>
}

/**
 * Creates a file, or replaces its content.
 *
 * @param mode  permissions, independent of the umask and of the old file
 * @throws      errors of the file system; the old file is then unchanged
 */
export async function replaceFile (path: string, content: string, mode = PRIVATE): Promise<void> {
  await withDraft(path, { content, mode }, async draft => { await draft.replace(path) })
}

/**
 * Creates a file unless it exists. If several processes try at once, one succeeds.
 *
 * @param mode  permissions, independent of the umask
 * @returns     whether it was created
 * @throws      errors of the file system
 */
export async function createFile (path: string, content: string, mode = PRIVATE): Promise<boolean> {
  return await withDraft(path, { content, mode }, async draft => await draft.claim(path))
}

/**
 * Writes a draft beside `path`, for callers that must try several names.
 *
 * @param use  gives it its name; an unnamed draft is removed afterwards
 * @throws     errors of `use` and of the file system
 */
export async function withDraft<T> (path: string, file: { content: string, mode?: number }, use: (draft: Draft) => Promise<T>): Promise<T> {
  await removeLeftovers(path)
  const draft = `${path}.new-${randomUUID()}`
  try {
    await writeDurably(draft, file.content, file.mode ?? PRIVATE)
    return await use({
      async replace (path) {
        await rename(draft, path)
        await syncDirectory(dirname(path))
      },
      async claim (path) {
        if (!await linkOnce(draft, path)) return false
        await syncDirectory(dirname(path))
        return true
      }
    })
  } finally {
    await rm(draft, { force: true })
  }
}

async function writeDurably (path: string, content: string, mode: number): Promise<void> {
  const handle = await open(path, 'wx', mode & PRIVATE)
  try {
    await handle.writeFile(content)
    await handle.chmod(mode) // independent of the umask
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function linkOnce (from: string, path: string): Promise<boolean> {
  try {
    await link(from, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function removeLeftovers (path: string): Promise<void> {
  const directory = dirname(path)
  for (const name of await readdir(directory)) {
    if (!name.startsWith(`${basename(path)}.new-`)) continue
    const leftover = join(directory, name)
    const { mtimeMs } = await stat(leftover).catch(() => ({ mtimeMs: Infinity })) // its writer has just removed it
    if (Date.now() - mtimeMs > LEFTOVER_AGE_MS) await rm(leftover, { force: true }).catch(() => {}) // another user's, perhaps: it is in nobody's way
  }
}
