/**
 * A redis-server for a ceiling, or for gateways that share one: the same program with the same settings that
 * the gateway gives its own, because both come from the gateway's code.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { Redis } from 'ioredis'
import { socketPathFor } from '../../src/redis/data-dir.js'
import { findServerProgram } from '../../src/redis/server-program.js'
import { serverArguments } from '../../src/redis/server-settings.js'
import { maxMemoryMb } from './max-memory.js'
import { makePlace } from './place.js'
import type { Stage } from './stage.js'

/** One that can be taken away from a gateway. */
export interface BenchRedis {
  socket: string
  /** It is gone when this resolves. */
  kill (): Promise<void>
  /** Again, on the same data; resolves when it answers. */
  start (): Promise<void>
  freeze (): void
  thaw (): void
}

/** Starts a server on an empty directory; resolves with its socket when it answers. */
export async function startRedis (stage: Stage, base: string): Promise<string> {
  return (await startServer(stage, base)).socket
}

/** The same, for a measure of what happens without it. */
export async function startServer (stage: Stage, base: string): Promise<BenchRedis> {
  const dataDir = makePlace(stage, base)
  const socket = socketPathFor(dataDir)
  const program = await findServerProgram(process.env)
  // What a kill has torn it cuts off.
  const args = serverArguments({ program, dataDir, socket, maxMemoryBytes: maxMemoryMb() * 1024 * 1024 }, true)
  let child: ChildProcess

  async function start (): Promise<void> {
    child = spawn(program.path, args, { cwd: dataDir, stdio: 'ignore' })
    const gone = once(child, 'exit')
    await Promise.race([
      client.ping(),
      gone.then(([code]) => { throw new Error(`redis-server ended with ${String(code)} while starting`) })
    ])
  }

  async function kill (): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  stage.add(kill)
  const client = openClient(stage, socket)
  await start()
  return { socket, kill, start, freeze () { child.kill('SIGSTOP') }, thaw () { child.kill('SIGCONT') } }
}

/**
 * A client that is closed with the stage.
 *
 * @param whileLoading  it asks also a server that still reads its data
 */
export function openClient (stage: Stage, socket: string, whileLoading = false): Redis {
  const client = new Redis({ path: socket, maxRetriesPerRequest: null, retryStrategy: () => 20, enableReadyCheck: !whileLoading })
  client.on('error', () => {})
  stage.add(() => { client.disconnect() })
  return client
}

/** One number of INFO. NaN when the server does not say it. */
export async function readInfo (client: Redis, section: string, field: string): Promise<number> {
  const info = await client.info(section)
  return Number(new RegExp(`^${field}:([\\d.]+)`, 'm').exec(info)?.[1] ?? NaN)
}
