/**
 * Export and import for the command line: a configuration names the record, and a
 * file or a stream is the other end.
 */
import type { ExportCall, ImportCall } from '../cli/deps.js'
import { exportRecord, type ExportResult } from '../transfer/export.js'
import { openExportFile } from '../transfer/export-file.js'
import { importRecord, type ImportResult } from '../transfer/import.js'
import { openRecord } from './open-record.js'

/** @returns the counts of the export, and those that an earlier run had written */
export async function runExport ({ to, ...options }: ExportCall): Promise<{ counts: ExportResult['counts'], earlier: number }> {
  const record = await openRecord({ ...options, intent: 'read' })
  try {
    if ('write' in to) return { counts: await exportRecord({ ...options, ...record, write: to.write, from: null }), earlier: 0 }
    const file = await openExportFile(to.file, to.resume)
    const earlier = file.from?.counts.events ?? 0
    try {
      return { counts: await exportRecord({ ...options, ...record, write: file.write, from: file.from }), earlier }
    } finally {
      await file.close()
    }
  } finally {
    await record.close()
  }
}

/** Imports; see `importRecord`. */
export async function runImport (options: ImportCall): Promise<ImportResult> {
  const record = await openRecord({ ...options, intent: 'write' })
  try {
    record.warnings.forEach(options.warn)
    return await importRecord({ ...options, store: record.store })
  } finally {
    await record.close()
  }
}
