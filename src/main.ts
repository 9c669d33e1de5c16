#!/usr/bin/env node
/**
 * The process: arguments to program to exit code. Decides nothing else.
 *
 * The gateway is loaded only by the commands that need it, because loading it
 * costs more than most commands.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runProgram } from './cli/run.js'
import { terminalOn } from './cli/terminal.js'

/** How long the process may live after its work: a forgotten handle must not keep it alive. */
const LINGER_MS = 2_000

const packageDir = fileURLToPath(new URL('..', import.meta.url))
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
const { env } = process

process.exitCode = await runProgram(process.argv.slice(2), {
  terminal: terminalOn(process, env),
  env,
  version,
  packageDir,
  startGateway: async options => await (await import('./gateway.js')).startGateway(options),
  findServerProgram: async env => await (await import('./redis/server-program.js')).findServerProgram(env),
  runExport: async call => await (await import('./gateway/transfer.js')).runExport(call),
  runImport: async call => await (await import('./gateway/transfer.js')).runImport(call)
})
setTimeout(() => { process.exit() }, LINGER_MS).unref()
