/**
 * The input and output of a command.
 *
 * Results go to standard output and nothing else does, so that `| jq` works;
 * errors, questions and progress go to standard error. A reader that goes away
 * (`| head`) is no error; a result that a full disk does not take is one. What
 * becomes of standard error stops nothing. Whatever a line was made of, nothing
 * in it steers the terminal or is invisible, but for the colours of ours.
 */
import { createInterface } from 'node:readline/promises'
import type { Readable, Writable } from 'node:stream'
import { hasColours, paintFor, type Paint } from './colour.js'
import { plainJson, plainLines } from './plain-text.js'
import { progressOn, type Progress } from './progress.js'
import { CommandFailure } from './failure.js'
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
  /** Writes a line of the result, or several. */
  out (line: string): void
  /** Writes text of the result, as it is unless somebody looks at it; resolves when there is room for more, and rejects when nobody reads it any more. */
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
  /** Resolves when the result is written, or nobody reads it any more. @throws CommandFailure when it could not be written */
  settled (): Promise<void>
}

type Output = Writable & { isTTY?: boolean, columns?: number }

/** The streams of a process, or replacements in tests. */
export interface Streams {
  stdin: Readable & { isTTY?: boolean }
  stdout: Output
  stderr: Output
}

/** What a write ends with when nobody reads it any more. */
const UNREAD = ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED']
/** What a terminal of unknown width is taken to have. */
const USUAL_COLUMNS = 80

/**
 * Makes a terminal of the streams; from now on no error of theirs ends the process.
 *
 * @param writeError  writes a text that is not the result, with its line break; to `stderr` when left out
 */
export function terminalOn ({ stdin, stdout, stderr }: Streams, env: NodeJS.ProcessEnv, writeError = (text: string) => { stderr.write(text) }): Terminal {
  for (const stream of [stdout, stderr]) stream.on('error', () => { /* whoever wrote hears of it */ })
  const paint = paintFor(stdout.isTTY === true, env)
  const columns = columnsOf(stdout)
  const lineFor = (stream: Output, line: string): string => plainLines(line, hasColours(stream.isTTY === true, env))
  const result = resultOn(stdout)
  const out = (line: string): void => { result.write(lineFor(stdout, line) + '\n') }
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
    error: line => { writeError(lineFor(stderr, line) + '\n') },
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
    },
    settled: result.settled
  }
}

/** Remembers what becomes of the result. */
function resultOn (stdout: Output): Pick<Terminal, 'settled'> & { write: (text: string) => void } {
  let last: Promise<void> = Promise.resolve()
  let problem: string | null = null
  return {
    write (text) {
      last = new Promise<void>(resolve => {
        stdout.write(text, error => {
          const { code = 'unknown reason' } = (error ?? {}) as NodeJS.ErrnoException
          if (error != null && !UNREAD.includes(code)) problem = code
          resolve()
        })
      })
    },
    async settled () {
      await last
      if (problem === null) return
      throw new CommandFailure(`standard output cannot be written (${problem}): what is there is not complete`, { nextSteps: ['make room where it goes, and run the command again'] })
    }
  }
}

function columnsOf (stream: Output): number {
  if (stream.isTTY !== true) return Infinity
  return stream.columns === undefined || stream.columns === 0 ? USUAL_COLUMNS : stream.columns
}
