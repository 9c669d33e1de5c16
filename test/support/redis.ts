/**
 * A real redis-server for one test file: its own process, its own directory,
 * its own unix socket. Durable as in production unless a test says otherwise.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { endClient } from '../../src/redis/end-client.js'
import { endWithUs } from './children.js'

/** The program, by its name or path. */
export const REDIS = process.env['RELAY_REDIS_BIN'] ?? 'redis-server'

export interface ClientOptions {
  maxRetriesPerRequest?: number | null
  enableOfflineQueue?: boolean
  commandTimeout?: number
}

export interface TestRedis {
  /** The unix socket. */
  path: string
  process: ChildProcess
  /** A new connection, closed with the server. */
  client (options?: ClientOptions): Redis
  /** SIGKILL, and the process is gone when this resolves. */
  kill (): Promise<void>
  /** Starts it again on the same data. */
  restart (): Promise<void>
  close (): Promise<void>
}

/**
 * Starts a redis-server and waits until it answers.
 *
 * @param args  added to its command line
 */
export async function startRedis (args: string[] = []): Promise<TestRedis> {
  const dir = mkdtempSync(join(tmpdir(), 'relay-redis-'))
  const path = join(dir, 's')
  const clients: Redis[] = []
  writeFileSync(configFileIn(dir), '')
  let child = await spawnRedis(dir, path, args)

  async function kill (): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  const server: TestRedis = {
    path,
    get process () { return child },
    client (options = {}) {
      const client = new Redis({ path, maxRetriesPerRequest: null, retryStrategy: () => 50, ...options })
      client.on('error', () => {})
      clients.push(client)
      return client
    },
    kill,
    async restart () {
      await kill()
      child = await spawnRedis(dir, path, args)
    },
    async close () {
      await Promise.all(clients.map(endClient))
      await kill()
      rmSync(dir, { recursive: true, force: true })
    }
  }
  return server
}

/** Empty, unless the server is told to write there what it has become: a sentinel tells it so. */
function configFileIn (dir: string): string {
  return join(dir, 'redis.conf')
}

async function spawnRedis (dir: string, path: string, args: string[]): Promise<ChildProcess> {
  const child = spawn(REDIS, [
    configFileIn(dir), '--port', '0', '--unixsocket', path, '--dir', dir, '--save', '',
    '--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction', ...args
  ], { stdio: 'ignore' })
  endWithUs(child)
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', code => { reject(new Error(`redis-server ended with ${code} while starting`)) })
    const probe = new Redis({ path, retryStrategy: () => 10, maxRetriesPerRequest: null })
    probe.on('error', () => {})
    probe.ping().then(() => { probe.disconnect(); resolve() }, reject)
  })
  return child
}
