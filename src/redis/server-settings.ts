/**
 * How the gateway's own Redis is set: what is acknowledged is on disk, nothing
 * is evicted, memory has a limit, and hashes stay small in it.
 */
import { isAtLeast } from './info.js'
import type { ServerProgram } from './server-program.js'

/** How far a server is with reading its data. */
export interface ServerLoading { percent: number, secondsLeft: number }

/** Settings that may also be changed while the server runs, in the words of its version. */
export function runtimeSettings (
  { program: { version }, maxMemoryBytes }: Pick<ServerPlace, 'program' | 'maxMemoryBytes'>
): ReadonlyArray<readonly [name: string, value: string]> {
  const packed = isAtLeast(version, [7, 0]) ? 'listpack' : 'ziplist'
  return [
    ['appendonly', 'yes'],
    ['appendfsync', 'always'],
    ['save', ''],
    // A rewrite takes a core and the disk from what comes in meanwhile; this much more is read at a start in some two seconds.
    ['auto-aof-rewrite-min-size', String(256 * 1024 * 1024)],
    // A full server refuses what is new, and says so; without a limit the kernel would end it.
    ['maxmemory', String(maxMemoryBytes)],
    ['maxmemory-policy', 'noeviction'],
    // An event with its deliveries, or a job, in one block: about half the memory.
    [`hash-max-${packed}-value`, '1024'],
    [`hash-max-${packed}-entries`, '1024']
  ]
}

/** What a server is started for. */
export interface ServerPlace {
  program: ServerProgram
  /** A real path; the server's data and log lie here. */
  dataDir: string
  /** At most 100 bytes. */
  socket: string
  /** The most that its data may take. */
  maxMemoryBytes: number
  /** Told every few seconds while it reads its data. */
  onLoading?: (loading: ServerLoading) => void
}

/** Where the server writes what it has to say. */
export function logFileOf (dataDir: string): string {
  return `${dataDir}/redis.log`
}

/**
 * The server's command line: no network, one private socket.
 *
 * @param cutsItself  it cuts a torn end off by itself, instead of refusing the file
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
