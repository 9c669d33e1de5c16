/**
 * The settings of the managed Redis: an acknowledged write is on disk, nothing is
 * evicted, memory has a limit, and hashes are stored small.
 */
import { isAtLeast } from './info.js'
import type { ServerProgram } from './server-program.js'

/** How much of its data a server has read. */
export interface ServerLoading { percent: number, secondsLeft: number }

/** Settings that can also be changed while the server runs, for its version. */
export function runtimeSettings (
  { program: { version }, maxMemoryBytes }: Pick<ServerPlace, 'program' | 'maxMemoryBytes'>
): ReadonlyArray<readonly [name: string, value: string]> {
  const packed = isAtLeast(version, [7, 0]) ? 'listpack' : 'ziplist'
  return [
    ['appendonly', 'yes'],
    ['appendfsync', 'always'],
    ['save', ''],
    // A rewrite uses a core and the disk while callbacks arrive; this much more is read at a start in about two seconds.
    ['auto-aof-rewrite-min-size', String(256 * 1024 * 1024)],
    // A full server refuses new data with an error; without a limit the kernel would kill it.
    ['maxmemory', String(maxMemoryBytes)],
    ['maxmemory-policy', 'noeviction'],
    // Stores an event with its deliveries, or a job, in one block: about half the memory.
    [`hash-max-${packed}-value`, '1024'],
    [`hash-max-${packed}-entries`, '1024']
  ]
}

/** The options of a start. */
export interface ServerPlace {
  program: ServerProgram
  /** A real path; the server's data and log are here. */
  dataDir: string
  /** At most 100 bytes. */
  socket: string
  /** Maximum memory of its data. */
  maxMemoryBytes: number
  /** Called every few seconds while it reads its data. */
  onLoading?: (loading: ServerLoading) => void
}

/** The log of the server. */
export function logFileOf (dataDir: string): string {
  return `${dataDir}/redis.log`
}

/**
 * The server's command line: no network, one private socket.
 *
 * @param cutsItself  the server cuts off a torn end itself, instead of refusing the file
 */
export function serverArguments (place: ServerPlace, cutsItself: boolean): string[] {
  const { dataDir, socket } = place
  const settings = [
    ['port', '0'],
    ['unixsocket', socket],
    ['unixsocketperm', '700'],
    ['dir', dataDir],
    ['daemonize', 'no'],
    ['logfile', logFileOf(dataDir)],
    ['loglevel', 'notice'],
    ['aof-load-truncated', cutsItself ? 'yes' : 'no'],
    ...runtimeSettings(place)
  ] as const
  return settings.flatMap(([name, value]) => [`--${name}`, value])
}
