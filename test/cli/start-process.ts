/**
 * The program in a process of its own, with a gateway that does what STAND_IN
 * says. Run by start.test.ts.
 */
import { once } from 'node:events'
import { RelayError } from '../../src/model/errors.js'
import type { RunningGateway, StartOptions } from '../../src/cli/deps.js'
import { runProgram } from '../../src/cli/run.js'
import { terminalOn } from '../../src/cli/terminal.js'
import { runExport, runImport } from '../../src/gateway/transfer.js'
import { loadConfig } from '../../src/config/load.js'
import { PACKAGE_DIR } from './at-the-terminal.js'

const behaviour = process.env['STAND_IN']
const say = (line: string): void => { process.stdout.write(line + '\n') }
/** Something that keeps the process alive, as listeners do. */
const alive = setInterval(() => {}, 60_000)

async function startGateway ({ configFile, env, role }: StartOptions): Promise<RunningGateway> {
  const loaded = await loadConfig({ file: configFile, env })
  if ('faults' in loaded) throw new RelayError('CONFIG_INVALID', 'faults', { faults: loaded.faults })
  if (behaviour === 'busy') throw new RelayError('LISTEN_FAILED', '127.0.0.1:8081 is in use by another process: free it, or change admin.listen in the configuration')
  if (behaviour === 'may not read') throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', syscall: 'open', path: '/data/admin-token' })
  if (behaviour === 'throws') setImmediate(() => { throw new Error('nobody caught this') })
  if (behaviour === 'rejects') setImmediate(() => { void Promise.reject(new Error('nobody awaited this')) })
  const told = behaviour === 'starts when told' ? once(process, 'SIGUSR2') : null // before anybody can know that it starts
  say(`role ${role ?? 'none'}`)
  if (behaviour === 'never starts') await new Promise(() => {})
  if (behaviour === 'starts slowly') await once(process, 'SIGINT')
  await told
  return {
    addresses: { ingest: 'http://127.0.0.1:8080', admin: 'http://127.0.0.1:8081' },
    ingestPath: '/webhooks/fotor/very-secret',
    async reload () { say('reloaded'); return { changed: [] } },
    async stop () {
      say('stopping')
      if (behaviour !== 'stays') clearInterval(alive)
      else await new Promise(() => {})
    }
  }
}

process.exitCode = await runProgram(process.argv.slice(2), {
  terminal: terminalOn(process, process.env),
  env: process.env,
  version: '1.2.3',
  packageDir: PACKAGE_DIR,
  startGateway,
  findServerProgram: async () => ({ path: 'none', version: '0' }),
  runExport,
  runImport
})
clearInterval(alive)
