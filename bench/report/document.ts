/**
 * The JSON of one run of the bench, as it is written and read again.
 */
import { readFileSync } from 'node:fs'
import type { Environment } from '../environment.js'
import type { Result } from '../result.js'

export interface BenchDocument {
  format: 'fotor-relay-bench/1'
  mode: 'smoke' | 'quick' | 'full'
  startedAt: string
  seconds: number
  environment: Environment
  /** Load average of the last minute, before each measure: what else the machine did. */
  loadBefore: Record<string, number>
  results: Result[]
  /** Computed run by run; the figures to compare between machines. */
  ratios: Result[]
  /** Measures that did not come to an end, and why. */
  failures: Record<string, string>
}

/** @throws when the file is not a document of this bench */
export function readDocument (file: string): BenchDocument {
  const document = JSON.parse(readFileSync(file, 'utf8')) as Partial<BenchDocument>
  if (document.format !== 'fotor-relay-bench/1') throw new Error(`${file} was not written by this bench`)
  return document as BenchDocument
}
