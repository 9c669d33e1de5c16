/**
 * Standard output and standard error, as lines that nothing has to wait for.
 *
 * Node writes to a terminal and to a file until the system has taken it all; a
 * terminal that was stopped (Ctrl-S) and a pipe that nobody reads would stop the gateway.
 */
import { constants, fstatSync, openSync, writeSync } from 'node:fs'
import { LineWriter, type LineWriterOptions, type WriteBytes } from './line-writer.js'

/** What a slow reader may make a process wait that ends, milliseconds. */
const END_WITHIN_MS = 200

/**
 * Opens a stream of the process for lines; what waits at its end is written, as far as that takes no time.
 *
 * @param descriptor  1 or 2
 * @param mended      see LineWriterOptions
 */
export function openLines (descriptor: 1 | 2, mended: LineWriterOptions['mended']): LineWriter {
  const lines = new LineWriter({ write: writeTo(descriptor), mended })
  process.once('exit', () => { lines.end(END_WITHIN_MS) })
  return lines
}

function writeTo (descriptor: 1 | 2): WriteBytes {
  const own = withoutWaiting(descriptor)
  return bytes => writeSync(own, bytes)
}

/**
 * A descriptor of the same stream that never waits. Opened anew, because how it
 * waits belongs to all who share it: the shell that started us, the other end of a terminal.
 */
function withoutWaiting (descriptor: 1 | 2): number {
  try {
    if (fstatSync(descriptor).isFile()) return descriptor // never waits for anybody, and is written where the others write
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    // A socket, another user's, or a system without /proc: of pipes and sockets Node itself makes those that do not wait.
    void (descriptor === 1 ? process.stdout : process.stderr)
    return descriptor
  }
}
