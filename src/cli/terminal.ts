/**
 * What a command writes to and reads from.
 *
 * Results go to standard output and nothing else does, so that `| jq` works;
 * errors, questions and progress go to standard error. A reader that goes away
 * (`| head`) is no error. Whatever a line was made of, nothing in it steers the
 * terminal or is invisible, but for the colours of ours.
 */
import { createInterface } from 'node:readline/promises'
import type { Readable, Writable } from 'node:stream'
import { hasColours, paintFor, type Paint } from './colour.js'
import { plainJson, plainLines } from './plain-text.js'
import { progressOn, type Progress } from './progress.js'
import { formatTable, type Column } from './table.js'

export interface Terminal {
  /** Colours for standard output. */
  readonly paint: Paint
  /** Colours for standard error. */
  readonly paintError: Paint
  /** Of standard output; Infinity when it is not a terminal. */
  readonly columns: number
  /** Whether there is somebody to ask. */
  readonly interactive: boolean
  /** Writes a line of the result, or several. */
  out (line: string): void
  /** Writes text of the result, as it is unless somebody looks at it; resolves when there is room for more, and rejects when nobody reads it any more. */
  write (text: string): Promise<void>
  /** Writes a line that is not the result. */
  error (line: string): void
  /** One JSON document. */
  json (value: unknown): void
  table<Row> (rows: readonly Row[], columns: ReadonlyArray<Column<Row>>): void
  progress (): Progress
  /** Asks; the answer without white space around it. */
  ask (question: string): Promise<string>
  /** Standard input, as it comes. */
  input (): AsyncIterable<Buffer>
  /** All of standard input. */
  readInput (): Promise<Buffer>
}

type Output = Writable & { isTTY?: boolean, columns?: number }

/** The streams of a process, or stand-ins for them. */
export interface Streams {
  stdin: Readable & { isTTY?: boolean }
  stdout: Output
  stderr: Output
}

/** What a terminal of unknown width is taken to have. */
const USUAL_COLUMNS = 80

/** Makes a terminal of the streams; from now on a broken pipe on either is ignored. */
export function terminalOn ({ stdin, stdout, stderr }: Streams, env: NodeJS.ProcessEnv): Terminal {
  for (const stream of [stdout, stderr]) stream.on('error', ignoreBrokenPipe)
  const paint = paintFor(stdout.isTTY === true, env)
  const columns = columnsOf(stdout)
  const lineFor = (stream: Output, line: string): string => plainLines(line, hasColours(stream.isTTY === true, env))
  const out = (line: string): void => { stdout.write(lineFor(stdout, line) + '\n') }
  return {
    paint,
    paintError: paintFor(stderr.isTTY === true, env),
    columns,
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    out,
    async write (text) {
      await new Promise<void>((resolve, reject) => {
        stdout.write(stdout.isTTY === true ? lineFor(stdout, text) : text, error => { if (error == null) resolve(); else reject(error) })
      })
    },
    error: line => { stderr.write(lineFor(stderr, line) + '\n') },
    json: value => { out(plainJson(value)) },
    table: (rows, shape) => { formatTable(rows, shape, { columns, heading: paint.bold }).forEach(out) },
    progress: () => progressOn({
      isTerminal: stderr.isTTY === true, columns: columnsOf(stderr), write: text => { stderr.write(text) }
    }),
    async ask (question) {
      const lines = createInterface({ input: stdin, output: stderr })
      try { return (await lines.question(lineFor(stderr, question))).trim() } finally { lines.close() }
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
