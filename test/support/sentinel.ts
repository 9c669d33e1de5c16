/**
 * A primary, its replicas and a sentinel that fails over to one of them: real
 * servers on ports of their own.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { freePort } from './free-port.js'
import { startRedis, type TestRedis } from './redis.js'
import { until } from './relay.js'

export interface Member extends TestRedis { port: number }

export interface Sentinel {
  /** The `redis` section of a configuration. */
  settings: { sentinel: { name: string, nodes: string[] } }
  members: Member[]
  /** Who is the primary, by the sentinel. */
  primary (): Promise<Member>
  /** Resolves when the sentinel has another primary than this one. */
  failedOver (from: Member): Promise<Member>
  close (): Promise<void>
}

/** A primary that is silent for so long is given up, milliseconds. */
const DOWN_AFTER_MS = 1_000
/** A failover that found no replica at first is tried again after ten seconds, and again, milliseconds. */
const AT_MOST_MS = 50_000

/**
 * Starts them; resolves when the sentinel knows every replica.
 *
 * @param args  for each server
 */
export async function startSentinel (replicas: number, args: readonly string[] = []): Promise<Sentinel> {
  const members: Member[] = []
  for (let n = 0; n <= replicas; n++) {
    const port = await freePort()
    const follows = n === 0 ? [] : ['--replicaof', `127.0.0.1 ${members[0]!.port}`]
    const started = await startRedis(['--port', String(port), '--bind', '127.0.0.1', '--maxmemory', '256mb', '--repl-diskless-sync-delay', '0', ...follows, ...args])
    members.push(Object.assign(started, { port }))
  }
  const port = await freePort()
  const dir = mkdtempSync(join(tmpdir(), 'relay-sentinel-'))
  writeFileSync(join(dir, 'sentinel.conf'), [
    `port ${port}`, 'bind 127.0.0.1', `sentinel monitor main 127.0.0.1 ${members[0]!.port} 1`,
    `sentinel down-after-milliseconds main ${DOWN_AFTER_MS}`, 'sentinel failover-timeout main 5000'
  ].join('\n'))
  const watcher = spawn('redis-server', [join(dir, 'sentinel.conf'), '--sentinel'], { stdio: 'ignore', cwd: dir })
  const client = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 20, maxRetriesPerRequest: null })
  client.on('error', () => {})

  const named = async (): Promise<number> => Number((await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main') as string[])[1])
  const memberAt = (port: number): Member => members.find(member => member.port === port)!
  const operators = new Map(members.map(member => [member, member.client()]))
  await until('the sentinel knows them all', async () => {
    const known = await client.call('SENTINEL', 'REPLICAS', 'main') as string[][]
    const primaryInfo = await operators.get(members[0]!)!.info('replication')
    return known.filter(fields => fields[fields.indexOf('master-link-status') + 1] === 'ok').length === replicas &&
      primaryInfo.includes(`connected_slaves:${replicas}`)
  }, AT_MOST_MS)
  return {
    settings: { sentinel: { name: 'main', nodes: [`127.0.0.1:${port}`] } },
    members,
    primary: async () => memberAt(await named()),
    async failedOver (from) {
      await until('another one is the primary', async () => {
        const port = await named()
        return port !== from.port && (await operators.get(memberAt(port))!.info('replication')).includes('role:master')
      }, AT_MOST_MS)
      return memberAt(await named())
    },
    async close () {
      client.disconnect()
      watcher.kill('SIGKILL')
      await Promise.all(members.map(async member => {
        member.process.kill('SIGCONT')
        await member.close()
      }))
      rmSync(dir, { recursive: true, force: true })
    }
  }
}
