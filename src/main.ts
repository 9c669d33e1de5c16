#!/usr/bin/env node
/**
 * The process: arguments to program to exit code. Decides nothing else.
 *
 * The signals of a gateway are caught before anything else is loaded. The
 * gateway itself is loaded by the commands that need it, when they do: it
 * costs more than all that most commands have to do.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { watchSignals } from './cli/signals.js'

const words = process.argv.slice(2)
const runsGateway = words[0] === 'start' || words[0] === 'demo'
if (runsGateway) watchSignals()

const { runProgram } = await import('./cli/run.js')
const { terminalOn } = await import('./cli/terminal.js')
const { openLines } = await import('./telemetry/open-lines.js')

/** How long the process may live after its work: a forgotten handle must not keep it alive. */
const LINGER_MS = 2_000

const packageDir = fileURLToPath(new URL('..', import.meta.url))
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
const { env } = process
const errors = openLines(2, ({ dropped }) => `(${dropped} lines before this one could not be written)\n`)

process.exitCode = await runProgram(words, {
  terminal: terminalOn(process, env, text => { errors.write(text) }),
  env,
  version,
  packageDir,
  startGateway: async options => await (await import('./gateway.js')).startGateway(options),
  findServerProgram: async env => await (await import('./redis/server-program.js')).findServerProgram(env),
  runExport: async call => await (await import('./gateway/transfer.js')).runExport(call),
  runImport: async call => await (await import('./gateway/transfer.js')).runImport(call)
})
setTimeout(() => { process.exit() }, LINGER_MS).unref()
