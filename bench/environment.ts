/**
 * What figures depend on besides the code: machine, versions, disk, load.
 * Names no machine and no user.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, statfsSync } from 'node:fs'
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os'
import { BODY_BYTES } from './body.js'
import { findServerProgram } from '../src/redis/server-program.js'

export interface Environment {
  commit: string
  version: string
  node: string
  redis: string
  bullmq: string
  system: string
  cpu: string
  cores: number
  memoryGb: number
  /** `statfs` type of the data's file system, hexadecimal; `0x1021994` is a RAM disk, whose fsync costs nothing. */
  fileSystem: string
  appendfsync: 'always'
  bodyBytes: number
  logLevel: string
  /** Of the last minute, before anything was started. */
  loadAverage: number
}

/** Looks around. */
export async function describeEnvironment ({ base, logLevel }: { base: string, logLevel: string }): Promise<Environment> {
  mkdirSync(base, { recursive: true })
  return {
    commit: commit(),
    version: versionIn('../package.json'),
    node: process.version,
    redis: (await findServerProgram(process.env)).version,
    bullmq: versionIn('../node_modules/bullmq/package.json'),
    system: `${platform()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    fileSystem: `0x${statfsSync(base).type.toString(16)}`,
    appendfsync: 'always',
    bodyBytes: BODY_BYTES,
    logLevel,
    loadAverage: loadavg()[0]!
  }
}

function versionIn (path: string): string {
  return (JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string }).version
}

function commit (): string {
  try {
    const git = (...words: string[]): string => execFileSync('git', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', 'src', 'bench') === '' ? '' : '+changes')
  } catch {
    return 'unknown'
  }
}
