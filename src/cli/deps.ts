/**
 * What the process gives to the commands: its terminal, its environment and, for
 * `start` and `demo`, the gateway itself. Commands import nothing of the journey;
 * this file declares the types that they need.
 */
import type { Config } from '../config/config.js'
import type { Fault } from '../config/fault.js'
import type { Report } from '../model/fact.js'
import type { Role } from '../model/replica.js'
import type { Terminal } from './terminal.js'

export type { Role } from '../model/replica.js'

/** A running gateway. */
export interface RunningGateway {
  /** Base URLs with the actual ports: `http://127.0.0.1:8080`; `ingest` is empty if it takes no callbacks. */
  addresses: { ingest: string, admin: string }
  /** The path of the public endpoint; may contain a secret segment. */
  ingestPath: string
  /** Never rejects; the gateway logs the result. */
  reload (): Promise<{ changed: string[] } | { faults: Fault[] }>
  /** Deliveries in flight finish or go back first. */
  stop (): Promise<void>
}

export interface StartOptions {
  configFile: string
  env: NodeJS.ProcessEnv
  /** Changes the configuration before it is used, at the start and at each reload. */
  overrides?: (config: Config) => Config
  role?: Role
  /** When aborted, the start is cancelled. */
  signal?: AbortSignal
}

export type StartGateway = (options: StartOptions) => Promise<RunningGateway>

/** The common options of an export and an import. */
export interface TransferOptions {
  config: Config
  env: NodeJS.ProcessEnv
  /** Receives the state of Redis. */
  report: Report
  /** Aborted to end the command early. */
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
  /** Version of the package. */
  version: string
  /** The directory with package.json and config/. */
  packageDir: string
  startGateway: StartGateway
  /** Finds the program for the managed Redis; a rejection says how to install one. */
  findServerProgram: (env: NodeJS.ProcessEnv) => Promise<{ path: string, version: string }>
  /** Writes the record of a configuration to a file or a stream. */
  runExport: (call: ExportCall) => Promise<{ counts: { subscribers: number, tasks: number, events: number, corrupt?: number }, earlier: number }>
  /** Writes an export into the record of a configuration. */
  runImport: (call: ImportCall) => Promise<{ subscribers: number, tasks: number, events: number, there: number, duplicates: number, corrupt: number }>
}
