/**
 * Notices a disk that fails or takes too long, and reports the beginning and the
 * end of the problem, not each callback.
 */
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isRelayError } from '../../model/errors.js'
import { within } from '../../time/within.js'
import type { Report } from '../../model/fact.js'

/** A disk that takes longer counts as failed for the caller, milliseconds. */
const DISK_WITHIN_MS = 3_000
/** More bytes than a full disk has left beside its directories. */
const TRIED_BYTES = 64 * 1024
/** The file that is written to try the disk. */
export const TRY_FILE = 'try'

/** The present problem of the disk. */
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

  /** Writing succeeded. */
  isOver (): void {
    if (this.#reason !== null) this.report({ fact: 'spool.mended' })
    this.#reason = null
  }

  /** Why the last write failed; `null` if it succeeded. */
  now (): string | null { return this.#reason }

  /** A problem of one file; reported once. */
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

/** Writes to the disk, and removes the file again. @throws errors of the file system */
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

/** Waits for the disk, up to a limit. @throws errors of the work, or that it took too long; the work then continues */
export async function withinDiskTime (work: Promise<void>): Promise<void> {
  await within(DISK_WITHIN_MS, work, () => { throw new Error(`the disk took longer than ${DISK_WITHIN_MS} ms`) })
}
