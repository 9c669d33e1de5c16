/**
 * The form of one callback in a file of the spool.
 *
 *   marker │ length │ checksum of both │ checksum of the rest │ length of about │ about │ body
 *      8   │   4    │        4         │          4           │        4        │   …   │  …
 *
 * Numbers are little-endian. Checksums are CRC-32: they find damage, not
 * attacks. The marker is random for each file: with it, a reader finds the next
 * record after a damaged one, and no body can contain a forged record.
 * Pure: no clock, no I/O. Promises to report every byte that is not part of a
 * whole record, as the torn end of the file or as damage.
 */
import { crc32 } from 'node:zlib'
import { FLAGS, type Flag } from '../../model/event.js'
import type { Arrival } from '../arrival.js'

export const MARKER_BYTES = 8
const HEAD_BYTES = MARKER_BYTES + 4 + 4 + 4

/** An arrival that is ready to be written, to any file. */
export interface Entry {
  /** Everything except the body, with its length in front. */
  about: Buffer
  /** As received, byte for byte. */
  body: Buffer
  /** Epoch milliseconds. */
  receivedAt: number
  /** Bytes that it takes in a file. */
  bytes: number
}

/** A part of a file, from `start` to before `end`, both in bytes. */
export type Piece =
  | { kind: 'record', start: number, end: number, arrival: Arrival }
  /** Once one or several records; their limits are unknown. */
  | { kind: 'damage', start: number, end: number }
  /** The last write, which was cut short before it was acknowledged. */
  | { kind: 'torn', start: number, end: number }

/** Makes an arrival ready to be written. */
export function entryOf ({ body, contentType, receivedAt, flags, only }: Arrival): Entry {
  const text = Buffer.from(JSON.stringify({ contentType, receivedAt, flags, only }))
  const about = Buffer.allocUnsafe(4 + text.length)
  about.writeUInt32LE(text.length)
  text.copy(about, 4)
  return { about, body, receivedAt, bytes: HEAD_BYTES + about.length + body.length }
}

/** The record of an entry, for a file with this marker: its parts in order. */
export function recordOf ({ about, body }: Entry, marker: Buffer): Buffer[] {
  const head = Buffer.allocUnsafe(HEAD_BYTES)
  marker.copy(head)
  head.writeUInt32LE(about.length + body.length, MARKER_BYTES)
  head.writeUInt32LE(crc32(head.subarray(0, MARKER_BYTES + 4)), MARKER_BYTES + 4)
  head.writeUInt32LE(crc32(body, crc32(about)), MARKER_BYTES + 8)
  return [head, about, body]
}

/**
 * Reads the records of a file, and the parts between them.
 *
 * @param bytes  the file
 * @param from   where a record begins, or should begin
 * @returns      consecutive pieces without a gap to the end of `bytes`; bodies are
 *               views of `bytes`
 */
export function * readPieces (bytes: Buffer, from: number, marker: Buffer): Generator<Piece> {
  for (let at = from; at < bytes.length;) {
    const piece = readRecord(bytes, at, marker) ?? readGap(bytes, at, marker)
    yield piece
    at = piece.end
  }
}

/** `null` if no whole record begins here. */
function readRecord (bytes: Buffer, start: number, marker: Buffer): Piece | null {
  const length = readHead(bytes, start, marker)
  if (length === null || start + HEAD_BYTES + length > bytes.length) return null
  const content = bytes.subarray(start + HEAD_BYTES, start + HEAD_BYTES + length)
  if (crc32(content) !== bytes.readUInt32LE(start + MARKER_BYTES + 8)) return null
  const arrival = arrivalOf(content)
  return arrival === null ? null : { kind: 'record', start, end: start + HEAD_BYTES + length, arrival }
}

/** Length of the part after the head, in bytes; `null` if there is no valid head here. */
function readHead (bytes: Buffer, start: number, marker: Buffer): number | null {
  if (start + HEAD_BYTES > bytes.length || bytes.compare(marker, 0, MARKER_BYTES, start, start + MARKER_BYTES) !== 0) return null
  const checked = bytes.subarray(start, start + MARKER_BYTES + 4)
  return crc32(checked) === bytes.readUInt32LE(start + MARKER_BYTES + 4) ? bytes.readUInt32LE(start + MARKER_BYTES) : null
}

function arrivalOf (content: Buffer): Arrival | null {
  try {
    const end = 4 + content.readUInt32LE(0)
    const { contentType, receivedAt, flags, only } = JSON.parse(content.toString('utf8', 4, end)) as Record<string, unknown>
    if (end > content.length || typeof contentType !== 'string' || typeof receivedAt !== 'number' || !Array.isArray(flags)) return null
    return {
      body: content.subarray(end),
      contentType,
      receivedAt,
      flags: FLAGS.filter(flag => flags.includes(flag)) satisfies Flag[],
      ...(typeof only === 'string' ? { only } : {})
    }
  } catch {
    return null // another release wrote something else; it is reported as damage, and kept
  }
}

/** The part before the next whole record, or before the end. */
function readGap (bytes: Buffer, start: number, marker: Buffer): Piece {
  for (let at = bytes.indexOf(marker, start + 1); at !== -1; at = bytes.indexOf(marker, at + 1)) {
    if (readRecord(bytes, at, marker) !== null) return { kind: 'damage', start, end: at }
  }
  return { kind: isTorn(bytes.subarray(start), marker) ? 'torn' : 'damage', start, end: bytes.length }
}

/** Whether the end of a file is an incomplete write: no room for a head, a head that announces more bytes, or space that was never filled. */
function isTorn (rest: Buffer, marker: Buffer): boolean {
  if (rest.length < HEAD_BYTES) return true
  const length = readHead(rest, 0, marker)
  if (length !== null) return HEAD_BYTES + length > rest.length
  return rest.every(byte => byte === 0)
}
