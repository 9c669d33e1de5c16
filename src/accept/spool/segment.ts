/**
 * One file of the spool: a head, then records. One process appends to it; it is
 * read when it is complete.
 *
 *   name and version │ marker │ checksum │ how far it is drained │ records …
 *
 * When `append` has resolved, the entries are on the disk, and the file is still
 * in its place. A failed write is cut off again, and the file is never written to
 * any more, because a disk cannot be trusted after a failed sync. Only their owner
 * can read the files.
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
/** The place in a file that says how far it is drained, and the checksum of that. */
const DRAINED_AT = 32
export const HEADER_BYTES = 64

/** The suffix of files of the spool. */
export const SEGMENT_SUFFIX = '.spool'

/** The counts of a file of the spool. */
export interface Segment {
  readonly path: string
  /** Size of the file, bytes. */
  bytes: number
  /** Callbacks in it that are not drained. */
  callbacks: number
  /** The earliest arrival among them, epoch milliseconds; `Infinity` if there are none. */
  oldestAt: number
}

/** A segment for writing. */
export interface OpenSegment {
  readonly segment: Segment
  /** Resolves when all entries are on the disk. @throws errors of the file system; then only `close` may follow */
  append (entries: readonly Entry[]): Promise<void>
  close (): Promise<void>
}

/**
 * Makes a new segment.
 *
 * @param directory  exists
 * @throws           errors of the file system
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
        if ((await handle.stat()).nlink === 0) throw Object.assign(new Error('the file was removed'), { code: 'ENOENT' })
      } catch (error) {
        await handle.truncate(segment.bytes).catch(() => {}) // the reader handles the incomplete rest
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

/** A segment for reading. */
export interface DrainingSegment {
  /** The pieces that are not drained, from the first byte to the last. */
  readonly pieces: Piece[]
  /** The bytes of a piece. */
  bytesOf (piece: Piece): Buffer
  /** Stores that everything before `end` is done; a process that starts again begins there. */
  advance (end: number): Promise<void>
  /** Removes the file, unless it has grown since it was read. @returns whether it is gone */
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
 * @throws NewerSegment; errors of the file system
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

/** If the disk refuses this write, the file is drained anyway. */
async function openToNote (path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+')
  } catch (error) {
    if (!['EROFS', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    return await open(path, 'r')
  }
}

/**
 * Counts the callbacks of a file that are not drained.
 *
 * @throws NewerSegment; errors of the file system
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
