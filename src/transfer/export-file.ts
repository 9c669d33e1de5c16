/**
 * The file that an export is written to: private, and gone on with when an
 * earlier export into it was cut short.
 */
import { createReadStream } from 'node:fs'
import { open, truncate, type FileHandle } from 'node:fs/promises'
import { RelayError } from '../model/errors.js'
import { readLine } from './format.js'
import { readLines } from './lines.js'
import type { ExportResult } from './export.js'

export interface ExportFile {
  /** Where the earlier export ended; `null` when this one begins. */
  from: ExportResult | null
  write: (text: string) => Promise<void>
  /** Syncs what was written, and closes. */
  close (): Promise<void>
}

/**
 * Opens a file for an export.
 *
 * @param resume  go on with an unfinished export that is there
 * @throws RelayError CONFLICT when there is a file that must not be overwritten, or nothing to go on with; what the file system throws
 */
export async function openExportFile (path: string, resume: boolean): Promise<ExportFile> {
  const from = resume ? await findEnd(path) : null
  const handle = await openFor(path, resume)
  return {
    from,
    write: async text => { await handle.appendFile(text) },
    async close () {
      await handle.sync()
      await handle.close()
    }
  }
}

async function openFor (path: string, resume: boolean): Promise<FileHandle> {
  try {
    return await open(path, resume ? 'a' : 'wx', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new RelayError('CONFLICT', `${path} already exists: choose another name, or continue an interrupted export with --resume`)
  }
}

/** Cuts off what was half written. Without a single event nothing is lost by beginning anew. */
async function findEnd (path: string): Promise<ExportResult | null> {
  const counts: ExportResult['counts'] = { subscribers: 0, tasks: 0, events: 0 }
  let after = 0
  let number = 0
  let wholeBytes = 0
  for await (const { text, bytes, isWhole } of readLines(createReadStream(path))) {
    if (!isWhole) break
    number++
    const read = readLine(text)
    if ('fault' in read) throw new RelayError('CONFLICT', `line ${number} of ${path} ${read.fault}: there is nothing to continue; choose another name`)
    const { line } = read
    if (line.kind === 'end') throw new RelayError('CONFLICT', `${path} is already a complete export: choose another name`)
    if (line.kind === 'subscriber') counts.subscribers++
    if (line.kind === 'task') counts.tasks++
    if (line.kind === 'event') counts.events++
    if (line.kind === 'corrupt') counts.corrupt = (counts.corrupt ?? 0) + 1
    if (line.kind === 'event' || line.kind === 'corrupt') after = line.sequence
    wholeBytes += bytes
  }
  await truncate(path, after === 0 ? 0 : wholeBytes)
  return after === 0 ? null : { counts, after }
}
