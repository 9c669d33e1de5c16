/**
 * A file that is being written is not a configuration: an editor, a copy or a
 * disk that is full empties it first and fills it afterwards.
 */
import { statSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

/** How long nobody may have written to it, and how long that is waited for, milliseconds. */
export interface WriteWait {
  quietMs: number
  atMostMs: number
  /** In the place of time, for tests. */
  wait?: (ms: number) => Promise<unknown>
}

const USUAL: WriteWait = { quietMs: 200, atMostMs: 3_000 }

/** Resolves when nobody has written to a file for a moment, or has not stopped to. Never rejects; a missing file is not waited for longer than another. */
export async function untilWritten (file: string, { quietMs, atMostMs, wait = setTimeout }: WriteWait = USUAL): Promise<void> {
  const endsAt = performance.now() + atMostMs
  for (let before = markOf(file); performance.now() < endsAt;) {
    await wait(quietMs)
    const now = markOf(file)
    if (now === before) return
    before = now
  }
}

function markOf (file: string): string {
  const { ino, size, mtimeMs, ctimeMs } = statSync(file, { throwIfNoEntry: false }) ?? { ino: 0, size: -1, mtimeMs: 0, ctimeMs: 0 }
  return [ino, size, mtimeMs, ctimeMs].join(' ')
}
