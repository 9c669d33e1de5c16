/**
 * Small files that are there whole, or not at all.
 *
 *   draft, private ──▶ content ──▶ its mode ──▶ fsync ──▶ rename or link ──▶ fsync of the directory
 *
 * Promises that a crash or a power loss at any point leaves under the name
 * what was there before or all of the new content, never a part; that a file
 * which was reported as written stays; and that nobody whom its mode does not
 * allow can read it for a moment. A draft that a crash left is removed by a
 * later write of the same file.
 */
import { randomUUID } from 'node:crypto'
import { link, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { syncDirectory } from './directory.js'

/** For its owner alone. */
const PRIVATE = 0o600

/** A draft that is older was left by a crash, milliseconds. */
const LEFTOVER_AGE_MS = 60_000

/** All of the content, on the disk under a name of its own. */
export interface Draft {
  /** Gives it this name, in place of the file that has it. */
  replace (path: string): Promise<void>
  /** Gives it this name unless a file has it. @returns whether it got it */
  claim (path: string): Promise<boolean>
}

/**
 * Creates a file, or replaces its content.
 *
 * @param mode  permissions, whatever the umask says and whatever the file had
 * @throws      what the file system throws; the file is as it was before
 */
export async function replaceFile (path: string, content: string, mode = PRIVATE): Promise<void> {
  await withDraft(path, { content, mode }, async draft => { await draft.replace(path) })
}

/**
 * Creates a file, unless there is one. Of several that try at once, one creates it.
 *
 * @param mode  permissions, whatever the umask says
 * @returns     whether it was created
 * @throws      what the file system throws
 */
export async function createFile (path: string, content: string, mode = PRIVATE): Promise<boolean> {
  return await withDraft(path, { content, mode }, async draft => await draft.claim(path))
}

/**
 * Writes a draft beside `path`, for whoever must try several names.
 *
 * @param use  gives it its name; what it has not named is removed afterwards
 * @throws     what `use` and the file system throw
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
    await handle.chmod(mode) // the umask has no say
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
