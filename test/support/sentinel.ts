/**
 * A primary, its replicas and a sentinel that fails over to one of them: real
 * servers on ports of their own.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { endWithUs } from './children.js'
import { freePort } from './free-port.js'
import { startRedis, type TestRedis } from './redis.js'
import { until } from './until.js'

export interface Member extends TestRedis { port: number }

export interface Sentinel {
  /** The `redis` section of a configuration. */
  settings: { sentinel: { name: string, nodes: string[] } }
  members: Member[]
  /** Who is the primary, by the sentinel. */
  primary (): Promise<Member>
  /** Resolves when the sentinel has another primary than this one. */
  failedOver (from: Member): Promise<Member>
  /** Orders a failover while nothing is broken; rejects when the sentinel sees no replica that is fit for it. */
  failOver (): Promise<void>
  /** Resolves when there is a primary, every other member follows it, and the sentinel sees that. */
  whole (): Promise<void>
  close (): Promise<void>
}

/** A primary that is silent for so long is given up, milliseconds. */
const DOWN_AFTER_MS = 1_000
/**
 * A sentinel that stood still does nothing for half a minute (its TILT mode).
 * When the primary died meanwhile, its replicas have been without it for longer
 * than ten times the time above, and are refused for ever. After a while it is
 * told another time, milliseconds.
 */
const STRICT_FOR_MS = 20_000
const LENIENT_DOWN_AFTER_MS = 8_000

/**
 * Starts them; resolves when the sentinel knows every replica.
 *
 * @param args  for each server
 */
export async function startSentinel (replicas: number, args: readonly string[] = []): Promise<Sentinel> {
  const members: Member[] = []
  for (let n = 0; n <= replicas; n++) {
    const port = await freePort()
    const started = await startRedis(['--port', String(port), '--bind', '127.0.0.1', '--maxmemory', '256mb', '--repl-diskless-sync-delay', '0', ...args])
    members.push(Object.assign(started, { port }))
    // Not on its command line: it is what it becomes, also when it is started again.
    if (n > 0) await started.client().pipeline().call('REPLICAOF', '127.0.0.1', members[0]!.port).call('CONFIG', 'REWRITE').exec()
  }
  const port = await freePort()
  const dir = mkdtempSync(join(tmpdir(), 'relay-sentinel-'))
  writeFileSync(join(dir, 'sentinel.conf'), [
    `port ${port}`, 'bind 127.0.0.1', `sentinel monitor main 127.0.0.1 ${members[0]!.port} 1`,
    `sentinel down-after-milliseconds main ${DOWN_AFTER_MS}`, 'sentinel failover-timeout main 5000'
  ].join('\n'))
  const watcher = spawn('redis-server', [join(dir, 'sentinel.conf'), '--sentinel'], { stdio: 'ignore', cwd: dir })
  endWithUs(watcher)
  const client = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 20, maxRetriesPerRequest: null })
  client.on('error', () => {})

  const named = async (): Promise<number> => Number((await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main') as string[])[1])
  const memberAt = (port: number): Member => members.find(member => member.port === port)!
  const operators = new Map(members.map(member => [member, member.client()]))
  const fieldsOf = (fields: string[]): (name: string) => string => name => fields[fields.indexOf(name) + 1]!
  const whole = async (): Promise<void> => {
    await until('every member follows a primary, and the sentinel sees that', async () => {
      const primary = memberAt(await named())
      const known = (await client.call('SENTINEL', 'REPLICAS', 'main') as string[][]).map(fieldsOf)
      const flags = fieldsOf(await client.call('SENTINEL', 'MASTER', 'main') as string[])('flags')
      const info = await operators.get(primary)!.info('replication')
      return flags === 'master' && known.filter(field => field('flags') === 'slave' && field('master-link-status') === 'ok').length === replicas &&
        info.includes('role:master') && [...info.matchAll(/state=online/g)].length === replicas
    })
  }
  await whole()
  return {
    settings: { sentinel: { name: 'main', nodes: [`127.0.0.1:${port}`] } },
    members,
    primary: async () => memberAt(await named()),
    async failedOver (from) {
      const began = performance.now()
      let isLenient = false
      await until('another one is the primary', async () => {
        if (!isLenient && performance.now() - began > STRICT_FOR_MS) {
          isLenient = true
          await client.call('SENTINEL', 'SET', 'main', 'down-after-milliseconds', LENIENT_DOWN_AFTER_MS)
        }
        const port = await named()
        return port !== from.port && (await operators.get(memberAt(port))!.info('replication')).includes('role:master')
      })
      return memberAt(await named())
    },
    async failOver () { await client.call('SENTINEL', 'FAILOVER', 'main') },
    whole,
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
