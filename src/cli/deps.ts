/**
 * What the commands are given by the process that runs them: its terminal, its
 * environment and, for `start` and `demo`, the gateway itself. Commands import
 * nothing of the journey; what they need of it stands here as a shape.
 */
import type { Config } from '../config/config.js'
import type { Fault } from '../config/fault.js'
import type { Report } from '../model/fact.js'
import type { Role } from '../model/replica.js'
import type { Terminal } from './terminal.js'

export type { Role } from '../model/replica.js'

/** A gateway that is running. */
export interface RunningGateway {
  /** Base URLs, with the ports that were really taken: `http://127.0.0.1:8080`; `ingest` is empty when it takes no callbacks. */
  addresses: { ingest: string, admin: string }
  /** The path of the public endpoint; may hold a secret segment. */
  ingestPath: string
  /** Never rejects; the gateway logs what came of it. */
  reload (): Promise<{ changed: string[] } | { faults: Fault[] }>
  /** In-flight deliveries finish or go back first. */
  stop (): Promise<void>
}

export interface StartOptions {
  configFile: string
  env: NodeJS.ProcessEnv
  /** Changes the configuration before it is used, at the start and at each reload. */
  overrides?: (config: Config) => Config
  role?: Role
  /** Aborted: the start is given up. */
  signal?: AbortSignal
}

export type StartGateway = (options: StartOptions) => Promise<RunningGateway>

/** What an export and an import have in common. */
export interface TransferOptions {
  config: Config
  env: NodeJS.ProcessEnv
  /** Told when Redis is lost and found. */
  report: Report
  /** Aborted when the command is to end early. */
  signal: AbortSignal
}

export interface ExportCall extends TransferOptions {
  version: string
  to: { file: string, resume: boolean } | { write: (text: string) => Promise<void> }
  progress: (done: number, total: number) => void
}

export interface ImportCall extends TransferOptions {
  input: AsyncIterable<Buffer | string>
  merge: boolean
  progress: (bytes: number, imported: { events: number, there: number }) => void
  warn: (sentence: string) => void
}

export interface ProgramDeps {
  terminal: Terminal
  env: NodeJS.ProcessEnv
  /** Of the package. */
  version: string
  /** Where package.json and config/ are. */
  packageDir: string
  startGateway: StartGateway
  /** Finds the program for the gateway's own Redis; a rejection says how to install one. */
  findServerProgram: (env: NodeJS.ProcessEnv) => Promise<{ path: string, version: string }>
  /** Writes the record of a configuration to a file or a stream. */
  runExport: (call: ExportCall) => Promise<{ counts: { subscribers: number, tasks: number, events: number, corrupt?: number }, earlier: number }>
  /** Writes an export into the record of a configuration. */
  runImport: (call: ImportCall) => Promise<{ subscribers: number, tasks: number, events: number, there: number, duplicates: number, corrupt: number }>
}
