/**
 * Drains one file of the spool, as far as Redis accepts it.
 *
 * A record is skipped only if Redis has it, if it is in `set-aside` (damaged, or
 * not readable by this release), or if it was written again at the end of the
 * spool (Redis accepts others, but not this one). After any interruption it is
 * accepted once more, and found to be a duplicate.
 */
import type { Report } from '../../model/fact.js'
import type { Accept, Acceptance } from '../arrival.js'
import type { DiskTrouble } from './disk.js'
import type { RedisBreaker, Pass } from './breaker.js'
import type { Piece } from './record.js'
import { openForDraining, type DrainingSegment, type Segment } from './segment.js'
import type { SetAside } from './set-aside.js'
import type { Stock } from './stock.js'

/** Records that are accepted together: Redis has other work too. */
const MOST_AT_ONCE = 32
const MOST_BYTES_AT_ONCE = 1024 * 1024
/** After this many failures, a record is moved to the end. */
const MOST_TRIES = 3

export interface FileDrainOptions {
  stock: Stock
  setAside: SetAside
  /** Never rejects, and takes about a second at most. */
  accept: Accept
  breaker: RedisBreaker
  trouble: DiskTrouble
  report: Report
}

/** `done`: the file is finished. `open`: the breaker allows no call. `failed`: Redis, or the disk, accepted nothing. */
export type DrainResult = 'done' | 'open' | 'failed'

type RecordPiece = Piece & { kind: 'record' }
/** How many pieces are done, or why none is. */
type PiecesResult = number | 'open' | 'failed'
interface OpenFile { segment: Segment, file: DrainingSegment }

/** Drains files one after the other. */
export class FileDrain {
  #accepted = 0
  #setAside = 0
  /** How often in a row the next records were refused. */
  #tries = 0
  #isStopped = false

  constructor (private readonly options: FileDrainOptions) {}

  /** Continues a file where its drain has stopped. Never rejects. */
  async drain (segment: Segment): Promise<DrainResult> {
    const { stock, trouble } = this.options
    let file: DrainingSegment | null = null
    try {
      file = await openForDraining(segment.path)
      return await this.#drainFile({ segment, file })
    } catch (error) {
      trouble.isWith(segment.path, error)
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') stock.forget(segment) // it was removed from outside
      else stock.putLast(segment)
      return 'failed'
    } finally {
      await file?.close().catch((error: unknown) => { trouble.isWith(segment.path, error) })
    }
  }

  /** What has happened to records since the last call. */
  takeTally (): { accepted: number, setAside: number } {
    const tally = { accepted: this.#accepted, setAside: this.#setAside }
    this.#accepted = this.#setAside = 0
    return tally
  }

  /** Stops after the batch in flight. */
  stop (): void { this.#isStopped = true }

  async #drainFile (open: OpenFile): Promise<DrainResult> {
    const { file } = open
    for (let at = 0; at < file.pieces.length;) {
      if (this.#isStopped) return 'open'
      const records = recordsFrom(file.pieces, at)
      const done = records.length > 0 ? await this.#drainRecords(open, records) : await this.#passOver(open, file.pieces[at]!)
      if (typeof done === 'string') return done
      at += done
      await this.#advance(open, at)
    }
    return await this.#remove(open)
  }

  async #drainRecords (open: OpenFile, records: RecordPiece[]): Promise<PiecesResult> {
    const pass = this.options.breaker.enter()
    if (pass === null) return 'open'
    const batch = pass.isTrial ? records.slice(0, 1) : records
    const acceptances = await Promise.all(batch.map(async ({ arrival }) =>
      await this.options.accept({ ...arrival, flags: [...arrival.flags, 'spooled'] })))
    const missed = batch.filter((_, at) => acceptances[at]!.kind === 'unavailable')
    const reason = reasonIn(acceptances)
    this.#accepted += tellBreaker(pass, acceptances, reason)
    if (missed.length === batch.length) {
      if (!pass.isTrial && !await this.options.breaker.check()) return 'open'
      const hasOthers = this.options.stock.size().callbacks > missed.length
      if (++this.#tries < MOST_TRIES || !hasOthers) return 'failed'
    }
    this.#tries = 0
    for (const [at, acceptance] of acceptances.entries()) {
      if (acceptance.kind === 'unreadable') await this.#keepAside(open, batch[at]!, `${acceptance.field ?? 'the body'}: ${acceptance.problem}`)
    }
    return missed.length === 0 || await this.#postpone(missed, reason) ? batch.length : 'failed'
  }

  /** Writes records again, at the end. @returns whether all of them are written */
  async #postpone (records: RecordPiece[], reason: string): Promise<boolean> {
    const kept = await Promise.all(records.map(async ({ arrival }) => await this.options.stock.keep(arrival)))
    if (kept.some(({ kind }) => kind !== 'kept')) return false
    this.options.report({ fact: 'spool.postponed', callbacks: records.length, reason })
    return true
  }

  async #keepAside ({ segment, file }: OpenFile, record: RecordPiece, reason: string): Promise<void> {
    const path = await this.options.setAside.keep(segment, record.start, { why: 'refused', bytes: file.bytesOf(record) })
    this.options.report({ fact: 'spool.set-aside', file: path, reason })
    this.#setAside++
  }

  /** A piece that is not a record. */
  async #passOver ({ segment, file }: OpenFile, piece: Piece): Promise<PiecesResult> {
    const bytes = piece.end - piece.start
    if (piece.kind === 'torn') {
      this.options.report({ fact: 'spool.torn', file: segment.path, bytes })
      return 1
    }
    const path = await this.options.setAside.keep(segment, piece.start, { why: 'damaged', bytes: file.bytesOf(piece) })
    this.options.report({ fact: 'spool.damaged', file: path, bytes })
    this.#setAside++
    return 1
  }

  /** Stores how far the file is drained. If the disk refuses that, the next drain begins at the start of the file. */
  async #advance ({ segment, file }: OpenFile, at: number): Promise<void> {
    const left = file.pieces.slice(at).filter(piece => piece.kind === 'record')
    segment.callbacks = left.length
    segment.oldestAt = left.reduce((oldest, { arrival }) => Math.min(oldest, arrival.receivedAt), Infinity)
    await file.advance(file.pieces[at - 1]!.end).catch((error: unknown) => { this.options.trouble.isWith(segment.path, error) })
  }

  async #remove ({ segment, file }: OpenFile): Promise<DrainResult> {
    const { stock, trouble } = this.options
    try {
      if (await file.remove()) stock.forget(segment)
    } catch (error) {
      trouble.isWith(segment.path, error)
      stock.forget(segment) // its records are safe; the next start finds the file again
    }
    return 'done'
  }
}

/** The next consecutive records, as many as may be accepted together. */
function recordsFrom (pieces: readonly Piece[], from: number): RecordPiece[] {
  const records: RecordPiece[] = []
  let bytes = 0
  for (let at = from; at < pieces.length && records.length < MOST_AT_ONCE; at++) {
    const piece = pieces[at]!
    if (piece.kind !== 'record') break
    bytes += piece.end - piece.start
    if (records.length > 0 && bytes > MOST_BYTES_AT_ONCE) break
    records.push(piece)
  }
  return records
}

/** @returns how many of them Redis now has */
function tellBreaker (pass: Pass, acceptances: readonly Acceptance[], reason: string): number {
  const accepted = acceptances.filter(({ kind }) => kind === 'accepted' || kind === 'duplicate').length
  if (accepted > 0) pass.worked()
  else if (pass.isTrial && reason !== '') pass.failed(reason)
  else pass.unclear()
  return accepted
}

/** Why some were not accepted; `''` if Redis refused none. */
function reasonIn (acceptances: readonly Acceptance[]): string {
  return acceptances.find(one => one.kind === 'unavailable')?.reason ?? ''
}
