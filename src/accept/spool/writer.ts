/**
 * Writes callbacks to the disk, many with one sync: entries that come during a
 * sync go with the next.
 *
 *   entries ──▶ wait for the write under way ──▶ one write, one sync ──▶ all of them are safe
 *
 * One write at a time, to one file at a time. A file that is large enough, or
 * whose write failed, is closed, and the next file is begun. Never reports an
 * entry as safe before its sync has returned.
 */
import { rm } from 'node:fs/promises'
import type { Entry } from './record.js'
import { createSegment, type OpenSegment, type Segment } from './segment.js'

/** Space is freed by whole files, and a file is read as a whole. */
const SEGMENT_BYTES = 4 * 1024 * 1024
/** Maximum size of one write; a single entry may be larger. */
const MOST_BYTES_AT_ONCE = 4 * 1024 * 1024

export interface WriterOptions {
  /** The directory of the next file. */
  directory: () => Promise<string>
  /** Called for each file that has entries and takes no more. */
  onSealed: (segment: Segment) => void
  /** Size at which the next file begins; default about 4 MB. */
  segmentBytes?: number
}

interface WaitingEntry { entry: Entry, resolve: () => void, reject: (error: unknown) => void }

/** The first entry makes the first file. */
export class Writer {
  #file: OpenSegment | null = null
  #waiting: WaitingEntry[] = []
  #waitingBytes = 0
  #isScheduled = false
  /** Operations on the file run one at a time. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor (private readonly options: WriterOptions) {}

  /** Resolves when the entry is on the disk. @throws errors of the file system */
  append (entry: Entry): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.#waiting.push({ entry, resolve, reject })
      this.#waitingBytes += entry.bytes
      if (this.#isScheduled) return
      this.#isScheduled = true
      void this.between(() => this.#writeWaiting())
    })
  }

  /** Bytes that are not on the disk yet. */
  waitingBytes (): number { return this.#waitingBytes }

  /** The file that is being written to. */
  current (): Segment | null { return this.#file?.segment ?? null }

  /** Closes the present file after the write in flight. Never rejects. */
  async seal (): Promise<void> { await this.between(() => this.#leave()) }

  /** Runs work while nothing is written. @throws errors of the work */
  async between<T> (action: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(action)
    this.#turn = mine.catch(() => {}) // the caller gets the error
    return await mine
  }

  async #writeWaiting (): Promise<void> {
    this.#isScheduled = false
    while (this.#waiting.length > 0) await this.#writeBatch()
  }

  async #writeBatch (): Promise<void> {
    const batch = this.#takeBatch()
    try {
      await this.#write(batch.map(({ entry }) => entry))
      for (const { resolve } of batch) resolve()
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
    for (const { entry } of batch) this.#waitingBytes -= entry.bytes
    if (this.#file !== null && this.#file.segment.bytes >= (this.options.segmentBytes ?? SEGMENT_BYTES)) await this.#leave()
  }

  #takeBatch (): WaitingEntry[] {
    let bytes = 0
    const isEnough = this.#waiting.findIndex(({ entry }, at) => {
      bytes += entry.bytes
      return at > 0 && bytes > MOST_BYTES_AT_ONCE
    })
    return this.#waiting.splice(0, isEnough === -1 ? this.#waiting.length : isEnough)
  }

  /** A file that cannot be written to may have been removed: the next one may work. */
  async #write (entries: Entry[]): Promise<void> {
    const isNew = this.#file === null
    try {
      this.#file ??= await createSegment(await this.options.directory())
      await this.#file.append(entries)
    } catch (error) {
      await this.#leave()
      if (isNew) throw error
      await this.#write(entries)
    }
  }

  async #leave (): Promise<void> {
    const left = this.#file
    this.#file = null
    if (left === null) return
    const isEmpty = left.segment.callbacks === 0
    if (!isEmpty) this.options.onSealed(left.segment) // at once: the file must be counted at every moment
    await left.close().catch(() => {}) // every entry that was reported as safe has been synced
    if (isEmpty) await rm(left.segment.path, { force: true }).catch(() => {}) // nothing in it was reported as safe
  }
}
