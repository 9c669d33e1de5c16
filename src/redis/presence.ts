/**
 * A sign of life that is visible from another container.
 *
 * Two containers that share a data directory do not see each other's processes,
 * but both see a socket in the directory, and the kernel knows whether its
 * process still listens. Where sockets cannot be made (some mounted volumes),
 * there is no sign, and only processes of the same container are distinguished
 * from dead ones.
 */
import { closeSync, openSync, readlinkSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'

/** Removes the sign. */
export type Withdraw = () => void

/**
 * The group of processes that see each other's pids.
 *
 * @returns `''` if the system has no such groups
 */
export function processNamespace (): string {
  try { return readlinkSync('/proc/self/ns/pid') } catch { return '' }
}

/** Shows that the process called `id` lives, until withdrawn or until it ends. Never throws. */
export async function showPresence (dataDir: string, id: string): Promise<Withdraw> {
  const server = createServer(socket => { socket.destroy() })
  server.unref()
  const directory = openSync(dataDir, 'r')
  await new Promise<void>(resolve => {
    server.once('listening', resolve)
    server.on('error', () => { resolve() })
    server.listen(through(directory, dataDir, id))
  })
  closeSync(directory)
  return () => {
    server.close()
    rmSync(join(dataDir, nameOf(id)), { force: true })
  }
}

/** Whether the process called `id` shows that it lives. Never throws. */
export async function isPresent (dataDir: string, id: string): Promise<boolean> {
  const directory = openSync(dataDir, 'r')
  const present = await new Promise<boolean>(resolve => {
    const socket = connect(through(directory, dataDir, id))
    socket.once('connect', () => { resolve(true) })
    // A process that is too busy to answer lives; a connection to a dead one is refused.
    socket.once('error', (error: NodeJS.ErrnoException) => { resolve(error.code === 'EAGAIN') })
    socket.once('close', () => { resolve(false) })
    socket.on('connect', () => { socket.destroy() })
  })
  closeSync(directory)
  return present
}

function nameOf (id: string): string {
  return `gateway.lock.here-${id}`
}

/** A short name for a long path, because socket paths are limited; Linux only, and only Linux needs it. */
function through (directory: number, dataDir: string, id: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${directory}/${nameOf(id)}` : join(dataDir, nameOf(id))
}
