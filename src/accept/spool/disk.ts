/**
 * A disk that fails, or takes too long: noticed, and told when it begins and
 * when it ends, not once for every callback.
 */
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isRelayError } from '../../model/errors.js'
import { within } from '../../time/within.js'
import type { Report } from '../../model/fact.js'

/** A disk that takes longer has failed, as far as the one who waits is concerned, milliseconds. */
const DISK_WITHIN_MS = 3_000
/** More than a full disk has left over beside its directories. */
const TRIED_BYTES = 64 * 1024
/** Where it is tried. */
export const TRY_FILE = 'try'

/** What does not work about the disk. */
export class DiskTrouble {
  #reason: string | null = null
  readonly #told = new Map<string, string>()

  constructor (private readonly report: Report) {}

  /** Writing failed; only writing ends it. @returns why, in words that anybody may read */
  is (error: unknown): string {
    const reason = reasonOf(error)
    if (reason !== this.#reason) this.report({ fact: 'spool.trouble', error: reason, file: null })
    this.#reason = reason
    return reason
  }

  /** Writing worked. */
  isOver (): void {
    if (this.#reason !== null) this.report({ fact: 'spool.mended' })
    this.#reason = null
  }

  /** Why writing failed the last time; `null` when it worked. */
  now (): string | null { return this.#reason }

  /** Something is wrong with one file; told once. */
  isWith (file: string, error: unknown): void {
    const reason = reasonOf(error)
    if (this.#told.get(file) === reason) return
    this.#told.set(file, reason)
    this.report({ fact: 'spool.trouble', error: reason, file })
  }

  /** Nothing is wrong with it any more, or it is gone. */
  isOverWith (file: string): void { this.#told.delete(file) }
}

/** `ENOSPC: no space left on device`, without the path that the file system adds. */
function reasonOf (error: unknown): string {
  if (isRelayError(error)) return error.code
  return error instanceof Error ? error.message.split(', ', 1)[0]! : String(error)
}

/** Writes to the disk, and takes it away again. @throws what the file system throws */
export async function tryToWrite (directory: string): Promise<void> {
  const path = join(directory, TRY_FILE)
  const handle = await open(path, 'w', 0o600)
  try {
    await handle.writeFile(Buffer.alloc(TRIED_BYTES, 'x'))
    await handle.datasync()
  } finally {
    await handle.close()
    await rm(path, { force: true })
  }
}

/** Waits for the disk, but not for ever. @throws what the work throws, or that it took too long; it goes on then */
export async function withinDiskTime (work: Promise<void>): Promise<void> {
  await within(DISK_WITHIN_MS, work, () => { throw new Error(`the disk took longer than ${DISK_WITHIN_MS} ms`) })
}
