/**
 * Reads the small files that a configuration names: secrets and certificates.
 *
 * Reads synchronously: the files are few and local, and one load sees one state
 * of them. Never shows their content.
 */
import { readFileSync, statSync } from 'node:fs'
import { fileText } from '../model/file-text.js'
import type { Reading } from './reading.js'

const MOST_BYTES = 1024 * 1024

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EACCES: 'this user may not read',
  EPERM: 'this user may not read',
  EISDIR: 'is a directory'
}

/** The text of a file, at most 1 MiB, without a byte order mark; relative paths start at the working directory. */
export function readSmallFile (path: string): Reading<string> {
  try {
    const file = statSync(path)
    if (file.isDirectory()) return { problem: 'is a directory' }
    if (!file.isFile()) return { problem: 'is not an ordinary file' }
    if (file.size > MOST_BYTES) return { problem: 'is larger than 1mb' }
    const read = fileText(readFileSync(path))
    return 'text' in read ? { value: read.text } : read
  } catch (error) {
    return { problem: problemOf(error) }
  }
}

/** Why a file could not be read, as the end of "a file that …". */
export function problemOf (error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason'
  return PROBLEMS[code] ?? `cannot be read (${code})`
}
