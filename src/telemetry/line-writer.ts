/**
 * Writes lines, and lets nothing that becomes of them stop the process: not a
 * full disk, not a terminal that is gone, not a reader that has stopped to read.
 *
 *   line ──▶ waiting, bounded ──▶ written
 *              └─ no room, or an error: dropped and counted; once all that waits is written again, a line says how many
 *
 * Never throws, never waits, and keeps no process alive. Lines stay in their
 * order; one of which a part was written is completed, or ended by a line break.
 */
import type { LogStatus } from '../model/log-status.js'

/**
 * Writes what it can at once, and never waits.
 *
 * @returns how many bytes were taken
 * @throws  what the system says; EAGAIN while nobody has read what was written before
 */
export type WriteBytes = (bytes: Uint8Array) => number

export interface LineWriterOptions {
  write: WriteBytes
  /** The line, with its break, that is written when it is over, in place of those that were dropped. */
  mended: (dropped: LogStatus) => string
  /** Lines that a slow reader may make wait in memory, bytes. */
  mostBytes?: number
  /** After an error it is tried again this much later, milliseconds. */
  againMs?: number
}

const MOST_BYTES = 1024 * 1024
const AGAIN_MS = 1_000
/** A reader that is behind has made room again by then, milliseconds. */
const BEHIND_MS = 20
/** What has waited for so long may wait for ever, milliseconds. */
const STALLED_AFTER_MS = 10_000
const UNREAD = 'nobody reads it'
const BREAK = Buffer.from('\n')

interface WaitingLine {
  /** Those that are not written yet. */
  bytes: Uint8Array
  /** How many lines are missing when it is dropped: itself, or those that it tells of. */
  lines: number
}

/** Writes nothing before the first line. */
export class LineWriter {
  readonly #waiting: WaitingLine[] = []
  #waitingBytes = 0
  /** Since when nothing was taken of what waits; `null` when nothing waits. */
  #behindSince: number | null = null
  /** Of the line that was written last, a part is missing. */
  #isTorn = false
  /** Why lines are dropped; `null` while they are not. */
  #trouble: { problem: string, dropped: number } | null = null
  #timer: NodeJS.Timeout | null = null

  constructor (private readonly options: LineWriterOptions) {}

  /** @param line  with its break */
  write (line: string): void {
    const { mostBytes = MOST_BYTES } = this.options
    if (this.#trouble !== null) return this.#drop(this.#trouble.problem, 1)
    const bytes = Buffer.from(line)
    if (this.#waiting.length > 0 && this.#waitingBytes + bytes.length > mostBytes) return this.#drop(UNREAD, 1)
    this.#wait({ bytes, lines: 1 })
    if (this.#timer === null) this.#pump()
  }

  status (): LogStatus {
    if (this.#trouble !== null) return this.#trouble
    const isStalled = this.#behindSince !== null && performance.now() - this.#behindSince >= STALLED_AFTER_MS
    return { problem: isStalled ? UNREAD : null, dropped: 0 }
  }

  /** Writes what waits, for no longer than this, and lets nothing else happen meanwhile: for a process that ends. */
  end (withinMs: number): void {
    const endsAt = performance.now() + withinMs
    while (this.#waiting.length > 0) {
      this.#pump()
      if (performance.now() >= endsAt) return
      if (this.#waiting.length > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BEHIND_MS)
    }
  }

  #drop (problem: string, lines: number): void {
    this.#trouble = { problem, dropped: (this.#trouble?.dropped ?? 0) + lines }
  }

  #wait (line: WaitingLine): void {
    this.#waiting.push(line)
    this.#waitingBytes += line.bytes.length
  }

  /** An error leaves nothing to wait: it is tried again with what comes then. */
  #pump (): void {
    clearTimeout(this.#timer ?? undefined)
    this.#timer = null
    try {
      if (this.#waiting.length === 0) this.#endTorn()
      this.#writeWaiting()
      this.#endTrouble()
    } catch (error) {
      if (isBusy(error)) return this.#tryAgain(BEHIND_MS)
      this.#drop(codeOf(error), this.#waiting.reduce((sum, { lines }) => sum + lines, 0))
      this.#forgetWaiting()
      this.#tryAgain(this.options.againMs ?? AGAIN_MS)
    }
  }

  /** The rest of a line was dropped, and what follows is not a part of it. @throws what the system says */
  #endTorn (): void {
    if (!this.#isTorn) return
    this.options.write(BREAK)
    this.#isTorn = false
  }

  /** @throws what the system says */
  #writeWaiting (): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const taken = this.options.write(next.bytes)
      this.#waitingBytes -= taken
      this.#behindSince = null
      this.#isTorn = taken < next.bytes.length
      if (this.#isTorn) next.bytes = next.bytes.subarray(taken)
      else this.#waiting.shift()
    }
  }

  /** All that waited is written: the next line says how many are missing. @throws what the system says */
  #endTrouble (): void {
    if (this.#trouble === null) return
    this.#wait({ bytes: Buffer.from(this.options.mended(this.#trouble)), lines: this.#trouble.dropped })
    try {
      this.#writeWaiting()
    } catch (error) {
      // Whose first part is written is completed later, and lines go on behind it; else it is composed anew.
      if (this.#isTorn && isBusy(error)) this.#trouble = null
      else this.#forgetWaiting()
      throw error
    }
    this.#trouble = null
  }

  #forgetWaiting (): void {
    this.#waiting.length = 0
    this.#waitingBytes = 0
  }

  #tryAgain (afterMs: number): void {
    this.#behindSince = this.#waiting.length === 0 ? null : this.#behindSince ?? performance.now()
    this.#timer = setTimeout(() => { this.#pump() }, afterMs).unref()
  }
}

function codeOf (error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown reason'
}

/** The system would have to wait. */
function isBusy (error: unknown): boolean {
  return ['EAGAIN', 'EWOULDBLOCK', 'EBUSY'].includes(codeOf(error))
}
