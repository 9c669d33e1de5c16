/**
 * One file of the spool: a head, then records, appended by one process and
 * read once they are all there.
 *
 *   name and version │ marker │ checksum │ how far it is drained │ records …
 *
 * What `append` has resolved for is on the disk, and the file is still where
 * it is looked for. A write that failed is cut off again, and the file never
 * written to any more: what a disk says after a failed sync is not to be
 * believed. Files and what is in them are for their owner alone.
 */
import { randomBytes } from 'node:crypto'
import { open, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { syncDirectory } from '../../disk/directory.js'
import { sortableId } from '../../model/sortable-id.js'
import { MARKER_BYTES, readPieces, recordOf, type Entry, type Piece } from './record.js'

const NAME = 'relay-spool v'
const VERSION = `${NAME}1\n`
const NAME_BYTES = 16
/** The name, the marker and their checksum. */
const CHECKED_BYTES = NAME_BYTES + MARKER_BYTES
/** Where a file says how far it is drained, and the checksum of that. */
const DRAINED_AT = 32
export const HEADER_BYTES = 64

/** How files of the spool end. */
export const SEGMENT_SUFFIX = '.spool'

/** A file of the spool, as far as counting goes. */
export interface Segment {
  readonly path: string
  /** Of the file. */
  bytes: number
  /** Callbacks in it that are not drained. */
  callbacks: number
  /** The earliest arrival among them, epoch milliseconds; `Infinity` when there are none. */
  oldestAt: number
}

/** A segment that takes records. */
export interface OpenSegment {
  readonly segment: Segment
  /** Resolves when all entries are on the disk. @throws what the file system throws; then only `close` may follow */
  append (entries: readonly Entry[]): Promise<void>
  close (): Promise<void>
}

/**
 * Makes a new segment.
 *
 * @param directory  exists
 * @throws           what the file system throws
 */
export async function createSegment (directory: string): Promise<OpenSegment> {
  const path = join(directory, sortableId(Date.now()) + SEGMENT_SUFFIX)
  const marker = randomBytes(MARKER_BYTES)
  const handle = await open(path, 'wx', 0o600)
  try {
    await writeAll(handle, headerOf(marker), 0)
    await syncDirectory(directory)
  } catch (error) {
    await handle.close()
    await rm(path, { force: true })
    throw error
  }
  const segment: Segment = { path, bytes: HEADER_BYTES, callbacks: 0, oldestAt: Infinity }
  return {
    segment,
    async append (entries) {
      const whole = Buffer.concat(entries.flatMap(entry => recordOf(entry, marker)))
      try {
        await writeAll(handle, whole, segment.bytes)
        await handle.datasync()
        if ((await handle.stat()).nlink === 0) throw Object.assign(new Error('somebody removed the file'), { code: 'ENOENT' })
      } catch (error) {
        await handle.truncate(segment.bytes).catch(() => {}) // reading copes with what is left
        throw error
      }
      segment.bytes += whole.length
      segment.callbacks += entries.length
      segment.oldestAt = Math.min(segment.oldestAt, ...entries.map(({ receivedAt }) => receivedAt))
    },
    async close () { await handle.close() }
  }
}

async function writeAll (handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

function headerOf (marker: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  header.write(VERSION)
  marker.copy(header, NAME_BYTES)
  header.writeUInt32LE(crc32(header.subarray(0, CHECKED_BYTES)), CHECKED_BYTES)
  return header
}

/** A segment that gives its records. */
export interface DrainingSegment {
  /** What is not drained yet, from the first byte to the last. */
  readonly pieces: Piece[]
  /** The bytes of one of them. */
  bytesOf (piece: Piece): Buffer
  /** Notes that everything before `end` is done; a process that starts again begins there. */
  advance (end: number): Promise<void>
  /** Removes the file, unless something was added to it since it was read. @returns whether it is gone */
  remove (): Promise<boolean>
  close (): Promise<void>
}

/** A file that a newer release has written. */
export class NewerSegment extends Error {
  constructor (path: string) {
    super(`${path} was written by a newer release`)
    this.name = 'NewerSegment'
  }
}

/**
 * Reads a segment that nobody writes to.
 *
 * @throws NewerSegment; what the file system throws
 */
export async function openForDraining (path: string): Promise<DrainingSegment> {
  const handle = await openToNote(path)
  try {
    const bytes = await readAll(handle)
    const { pieces, marker } = readSegment(bytes, path)
    return {
      pieces: [...pieces],
      bytesOf: ({ start, end }) => bytes.subarray(start, end),
      async advance (end) { await writeAll(handle, drainedMark(end, marker), DRAINED_AT) },
      async remove () {
        if ((await handle.stat()).size !== bytes.length) return false
        await rm(path)
        return true
      },
      async close () { await handle.close() }
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** On a disk that takes no notes, what lies there is drained all the same. */
async function openToNote (path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+')
  } catch (error) {
    if (!['EROFS', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    return await open(path, 'r')
  }
}

/**
 * Counts what a file holds that is not drained.
 *
 * @throws NewerSegment; what the file system throws
 */
export async function surveySegment (path: string): Promise<Segment> {
  const segment: Segment = { path, bytes: 0, callbacks: 0, oldestAt: Infinity }
  const handle = await open(path, 'r')
  try {
    const bytes = await readAll(handle)
    segment.bytes = bytes.length
    for (const piece of readSegment(bytes, path).pieces) {
      if (piece.kind !== 'record') continue
      segment.callbacks++
      segment.oldestAt = Math.min(segment.oldestAt, piece.arrival.receivedAt)
    }
    return segment
  } finally {
    await handle.close()
  }
}

async function readAll (handle: FileHandle): Promise<Buffer> {
  const { size } = await handle.stat()
  const bytes = Buffer.allocUnsafe(size)
  let filled = 0
  while (filled < size) {
    const { bytesRead } = await handle.read(bytes, filled, size - filled, filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

/** A damaged head loses nothing: the first record begins with the same marker. */
function readSegment (bytes: Buffer, path: string): { pieces: Iterable<Piece>, marker: Buffer } {
  if (bytes.length < HEADER_BYTES) {
    return { pieces: bytes.length === 0 ? [] : [{ kind: 'torn', start: 0, end: bytes.length }], marker: Buffer.alloc(MARKER_BYTES) }
  }
  const isWhole = crc32(bytes.subarray(0, CHECKED_BYTES)) === bytes.readUInt32LE(CHECKED_BYTES)
  const name = bytes.toString('latin1', 0, VERSION.length)
  if (isWhole && name !== VERSION && name.startsWith(NAME)) throw new NewerSegment(path)
  const at = isWhole ? NAME_BYTES : HEADER_BYTES
  const marker = bytes.subarray(at, at + MARKER_BYTES)
  return { pieces: readPieces(bytes, drainedUntil(bytes, marker), marker), marker }
}

function drainedUntil (bytes: Buffer, marker: Buffer): number {
  const end = bytes.readUInt32LE(DRAINED_AT)
  const isMark = end >= HEADER_BYTES && end <= bytes.length && bytes.subarray(DRAINED_AT, DRAINED_AT + 8).equals(drainedMark(end, marker))
  return isMark ? end : HEADER_BYTES
}

function drainedMark (end: number, marker: Buffer): Buffer {
  const mark = Buffer.allocUnsafe(8)
  mark.writeUInt32LE(end)
  mark.writeUInt32LE(crc32(mark.subarray(0, 4), crc32(marker)), 4)
  return mark
}
