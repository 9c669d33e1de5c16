/**
 * A sign of life that is seen from another container.
 *
 * Two containers that share a data directory do not see each other's
 * processes, but both see a socket in the directory, and the kernel tells at
 * once whether its maker still listens. Where sockets cannot be made (some
 * mounted volumes) there is no sign, and only processes of the same container
 * are told apart from dead ones.
 */
import { closeSync, openSync, readlinkSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'

/** Takes the sign away. */
export type Withdraw = () => void

/**
 * The group of processes that see each other by id.
 *
 * @returns `''` where the system has no such groups
 */
export function processNamespace (): string {
  try { return readlinkSync('/proc/self/ns/pid') } catch { return '' }
}

/** Shows, until withdrawn or until this process ends, that the one called `id` lives. Never throws. */
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

/** Whether the one called `id` shows that it lives. Never throws. */
export async function isPresent (dataDir: string, id: string): Promise<boolean> {
  const directory = openSync(dataDir, 'r')
  const present = await new Promise<boolean>(resolve => {
    const socket = connect(through(directory, dataDir, id))
    socket.once('connect', () => { resolve(true) })
    // A maker too busy to answer lives; one that is gone refuses.
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

/** A short name for a path of any length, as socket paths are limited; Linux only, and only Linux needs it. */
function through (directory: number, dataDir: string, id: string): string {
  return process.platform === 'linux' ? `/proc/self/fd/${directory}/${nameOf(id)}` : join(dataDir, nameOf(id))
}
