/**
 * A redis-server for a ceiling: the same program with the same settings that
 * the gateway gives its own, because both come from the gateway's code.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Redis } from 'ioredis'
import { socketPathFor } from '../../src/redis/data-dir.js'
import { findServerProgram } from '../../src/redis/server-program.js'
import { serverArguments } from '../../src/redis/server-settings.js'
import { maxMemoryMb } from './max-memory.js'
import { makePlace } from './place.js'
import type { Stage } from './stage.js'

/** Starts a server on an empty directory; resolves with its socket when it answers. */
export async function startRedis (stage: Stage, base: string): Promise<string> {
  const dataDir = makePlace(stage, base)
  const socket = socketPathFor(dataDir)
  const program = await findServerProgram(process.env)
  const child = spawn(program.path, serverArguments({ program, dataDir, socket, maxMemoryBytes: maxMemoryMb() * 1024 * 1024 }, false), { cwd: dataDir, stdio: 'ignore' })
  const gone = once(child, 'exit')
  stage.add(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await gone
  })
  const client = openClient(stage, socket)
  await Promise.race([
    client.ping(),
    gone.then(([code]) => { throw new Error(`redis-server ended with ${String(code)} while starting`) })
  ])
  return socket
}

/** A client that is closed with the stage. */
export function openClient (stage: Stage, socket: string): Redis {
  const client = new Redis({ path: socket, maxRetriesPerRequest: null, retryStrategy: () => 20 })
  client.on('error', () => {})
  stage.add(() => { client.disconnect() })
  return client
}

/** One number of INFO. NaN when the server does not say it. */
export async function readInfo (client: Redis, section: string, field: string): Promise<number> {
  const info = await client.info(section)
  return Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(info)?.[1] ?? NaN)
}
