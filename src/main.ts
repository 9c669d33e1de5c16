#!/usr/bin/env node
/**
 * The process: arguments to program to exit code. Decides nothing else.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runProgram } from './cli/run.js'
import { terminalOn } from './cli/terminal.js'
import { startGateway } from './gateway.js'
import { runExport, runImport } from './gateway/transfer.js'
import { findServerProgram } from './redis/server-program.js'

/** How long the process may live on after its work; something forgotten must not keep it for ever. */
const LINGER_MS = 2_000

const packageDir = fileURLToPath(new URL('..', import.meta.url))
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
const { env } = process

process.exitCode = await runProgram(process.argv.slice(2), {
  terminal: terminalOn(process, env), env, version, packageDir, startGateway, findServerProgram, runExport, runImport
})
setTimeout(() => { process.exit() }, LINGER_MS).unref()
