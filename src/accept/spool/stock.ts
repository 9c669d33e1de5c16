/**
 * The callbacks that wait in the spool: their files, their number, their size and
 * the oldest arrival.
 *
 * Stays within `maxBytes`, and never reports a callback as kept before it is on
 * the disk. After the disk has failed or taken too long, every callback tries it
 * again.
 */
import type { Report } from '../../model/fact.js'
import type { Arrival } from '../arrival.js'
import { tryToWrite, withinDiskTime, type DiskTrouble } from './disk.js'
import type { LeftPlace, Ownership } from './ownership.js'
import { entryOf } from './record.js'
import { NewerSegment, surveySegment, type Segment } from './segment.js'
import { Writer } from './writer.js'

/** Maximum size of callbacks that wait in memory for a slow disk, bytes. */
const MOST_WAITING_BYTES = 64 * 1024 * 1024
/** With less space than this, in bytes, a callback may not fit. */
const LEAST_ROOM_BYTES = 16 * 1024
/** After "full" was reported, the spool must have freed this much before it is reported again. */
const FULL_AGAIN_SHARE = 0.9

/** Whether a callback is on the disk; if not, the reason in words that are safe to show. */
export type KeepResult = { kind: 'kept' } | { kind: 'not-kept', reason: string }

export interface SpoolSize {
  callbacks: number
  /** Size of the files; a file counts as a whole until it is removed. */
  bytes: number
  /** Arrival of the oldest callback, epoch milliseconds; `null` if there is none. */
  oldestAt: number | null
}

export interface StockOptions {
  ownership: Ownership
  trouble: DiskTrouble
  maxBytes: number
  report: Report
  /** Size of one file; for tests. */
  segmentBytes?: number
}

/** Does not touch the disk until it must. */
export class Stock {
  /** Files that are not written to any more; oldest first. */
  readonly #sealed: Segment[] = []
  readonly #writer: Writer
  /** Files that are left for a newer release. */
  readonly #newer = new Set<string>()
  /** What was found the last time and cannot be had, by path: directories and files. */
  #left = new Map<string, { mayHold: boolean }>()
  #isFullTold = false
  #isClosed = false

  constructor (private readonly options: StockOptions) {
    this.#writer = new Writer({
      ...options,
      directory: options.ownership.directory,
      onSealed: segment => { this.#sealed.push(segment) }
    })
  }

  /** Never rejects; takes a few seconds at most. */
  async keep (arrival: Arrival): Promise<KeepResult> {
    const { trouble } = this.options
    const entry = entryOf(arrival)
    if (this.#isClosed) return notKept('the gateway has stopped')
    if (!this.#hasRoom(entry.bytes)) return notKept('it is full')
    if (this.#writer.waitingBytes() + entry.bytes > MOST_WAITING_BYTES) return notKept('the disk is too slow')
    try {
      await withinDiskTime(this.#writer.append(entry))
      trouble.isOver()
      return { kind: 'kept' }
    } catch (error) {
      return notKept(trouble.is(error))
    }
  }

  size (): SpoolSize { return sizeOf(this.#segments()) }

  /** Why the last callback was not kept, or the next may not be; `null` if there is no problem. */
  problem (): string | null {
    return this.#hasRoom(LEAST_ROOM_BYTES) ? this.options.trouble.now() : 'it is full'
  }

  /** Writes a file and removes it. @returns what `problem` says then. Never rejects */
  async tryDisk (): Promise<string | null> {
    const { ownership, trouble } = this.options
    try {
      await withinDiskTime(this.#writer.between(async () => { await tryToWrite(await ownership.directory()) }))
      trouble.isOver()
    } catch (error) {
      trouble.is(error)
    }
    return this.problem()
  }

  /** The oldest file, closed for good; `null` if there is none. */
  async next (): Promise<Segment | null> {
    if (this.#sealed.length === 0 && this.hasAny()) await this.#writer.seal()
    return this.#sealed[0] ?? null
  }

  /** Whether anything waits. */
  hasAny (): boolean {
    return this.#sealed.length > 0 || (this.#writer.current()?.callbacks ?? 0) > 0
  }

  /** Puts a file at the end. */
  putLast (segment: Segment): void {
    this.forget(segment)
    this.#sealed.push(segment)
  }

  /** Stops counting a file: it is gone, or nothing in it waits. */
  forget (segment: Segment): void {
    const at = this.#sealed.indexOf(segment)
    if (at !== -1) this.#sealed.splice(at, 1)
  }

  /** Places with callbacks that were acknowledged and that this process cannot have. */
  unreachable (): number {
    return this.#newer.size + [...this.#left.values()].filter(({ mayHold }) => mayHold).length
  }

  /** Finds what earlier owners left, here and elsewhere. @returns how much that was. Never rejects */
  async takeOver (): Promise<SpoolSize> {
    const found: Segment[] = []
    const { files, left } = await this.#unknownFiles()
    for (const path of files) {
      try {
        found.push(await surveySegment(path))
      } catch (error) {
        left.push({ path, error, mayHold: (error as NodeJS.ErrnoException).code !== 'ENOENT' && !(error instanceof NewerSegment) })
        if (error instanceof NewerSegment) this.#newer.add(path)
      }
    }
    this.#noteLeft(left)
    this.#sealed.push(...found)
    return sizeOf(found)
  }

  /** Stops keeping callbacks, and gives the directory up. Kept callbacks stay. Idempotent; never rejects. */
  async close (): Promise<void> {
    this.#isClosed = true
    await this.#writer.seal()
    this.options.ownership.release()
  }

  async #unknownFiles (): Promise<{ files: string[], left: LeftPlace[] }> {
    const { ownership, trouble } = this.options
    try {
      return await this.#writer.between(async () => {
        const { files, left } = await ownership.takeOver()
        for (const path of this.#newer) if (!files.includes(path)) this.#newer.delete(path)
        return { left, files: files.filter(path => !this.#newer.has(path) && !this.#segments().some(segment => segment.path === path)) }
      })
    } catch (error) {
      trouble.is(error)
      return { files: [], left: [] }
    }
  }

  /** Each is told once, and again when it was well in between. */
  #noteLeft (left: readonly LeftPlace[]): void {
    const { trouble } = this.options
    const now = new Map(left.map(({ path, mayHold }) => [path, { mayHold }]))
    for (const path of this.#left.keys()) if (!now.has(path) && !this.#newer.has(path)) trouble.isOverWith(path)
    for (const { path, error } of left) trouble.isWith(path, error)
    this.#left = now
  }

  #segments (): Segment[] {
    const current = this.#writer.current()
    return current === null ? this.#sealed : [...this.#sealed, current]
  }

  /** Its end is reported. */
  #hasRoom (bytes: number): boolean {
    const { maxBytes, report } = this.options
    const size = this.size()
    const taken = size.bytes + this.#writer.waitingBytes()
    if (taken + bytes <= maxBytes) {
      this.#isFullTold &&= taken > maxBytes * FULL_AGAIN_SHARE
      return true
    }
    if (!this.#isFullTold) report({ fact: 'spool.full', callbacks: size.callbacks, bytes: size.bytes, maxBytes })
    this.#isFullTold = true
    return false
  }
}

function notKept (reason: string): KeepResult {
  return { kind: 'not-kept', reason }
}

function sizeOf (segments: readonly Segment[]): SpoolSize {
  let [callbacks, bytes, oldestAt] = [0, 0, Infinity]
  for (const segment of segments) {
    callbacks += segment.callbacks
    bytes += segment.bytes
    oldestAt = Math.min(oldestAt, segment.oldestAt)
  }
  return { callbacks, bytes, oldestAt: oldestAt === Infinity ? null : oldestAt }
}
