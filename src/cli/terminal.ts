/**
 * The input and output of a command.
 *
 * Only results go to standard output, so that `| jq` works; errors, questions
 * and progress go to standard error. A reader that goes away (`| head`) is not an
 * error.
 */
import { createInterface } from 'node:readline/promises'
import type { Readable, Writable } from 'node:stream'
import { paintFor, type Paint } from './colour.js'
import { plainJson } from './plain-text.js'
import { progressOn, type Progress } from './progress.js'
import { formatTable, type Column } from './table.js'

export interface Terminal {
  /** Colours for standard output. */
  readonly paint: Paint
  /** Colours for standard error. */
  readonly paintError: Paint
  /** Columns of standard output; Infinity if it is not a terminal. */
  readonly columns: number
  /** Whether a person can answer questions. */
  readonly interactive: boolean
  /** Writes a line of the result. */
  out (line: string): void
  /** Writes text of the result unchanged; resolves when there is room for more, and rejects if the reader is gone. */
  write (text: string): Promise<void>
  /** Writes a line that is not the result. */
  error (line: string): void
  /** Writes one JSON document. */
  json (value: unknown): void
  table<Row> (rows: readonly Row[], columns: ReadonlyArray<Column<Row>>): void
  progress (): Progress
  /** Asks; returns the answer without surrounding white space. */
  ask (question: string): Promise<string>
  /** Standard input as a stream. */
  input (): AsyncIterable<Buffer>
  /** All of standard input. */
  readInput (): Promise<Buffer>
}

type Output = Writable & { isTTY?: boolean, columns?: number }

/** The streams of a process, or replacements in tests. */
export interface Streams {
  stdin: Readable & { isTTY?: boolean }
  stdout: Output
  stderr: Output
}

/** The assumed width of a terminal that does not report one. */
const USUAL_COLUMNS = 80

/** Makes a terminal of the streams; from now on, broken pipes are ignored. */
export function terminalOn ({ stdin, stdout, stderr }: Streams, env: NodeJS.ProcessEnv): Terminal {
  for (const stream of [stdout, stderr]) stream.on('error', ignoreBrokenPipe)
  const paint = paintFor(stdout.isTTY === true, env)
  const columns = columnsOf(stdout)
  const out = (line: string): void => { stdout.write(line + '\n') }
  return {
    paint,
    paintError: paintFor(stderr.isTTY === true, env),
    columns,
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    out,
    async write (text) {
      await new Promise<void>((resolve, reject) => {
        stdout.write(text, error => { if (error == null) resolve(); else reject(error) })
      })
    },
    error: line => { stderr.write(line + '\n') },
    json: value => { out(plainJson(value)) },
    table: (rows, shape) => { formatTable(rows, shape, { columns, heading: paint.bold }).forEach(out) },
    progress: () => progressOn({
      isTerminal: stderr.isTTY === true, columns: columnsOf(stderr), write: text => { stderr.write(text) }
    }),
    async ask (question) {
      const lines = createInterface({ input: stdin, output: stderr })
      try { return (await lines.question(question)).trim() } finally { lines.close() }
    },
    input: () => stdin,
    async readInput () {
      const chunks: Buffer[] = []
      for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Buffer | string))
      return Buffer.concat(chunks)
    }
  }
}

function columnsOf (stream: Output): number {
  if (stream.isTTY !== true) return Infinity
  return stream.columns === undefined || stream.columns === 0 ? USUAL_COLUMNS : stream.columns
}

function ignoreBrokenPipe (error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}
