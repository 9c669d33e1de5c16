/**
 * `fotor-relay send`: sends a test callback, to check that events arrive.
 *
 * The callback enters through the admin API, takes the same path as every
 * callback and gets the flag `test`. With `--to` it enters through a public
 * endpoint, as Fotor's do.
 */
import { readFileSync } from 'node:fs'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { sortableId } from '../../model/sortable-id.js'
import { addApiOptions, addExamples, openApi } from '../api-command.js'
import { commandLine, type ApiFlags } from '../command-line.js'
import type { ProgramDeps } from '../deps.js'
import { badUsage } from '../failure.js'
import { plainText } from '../plain-text.js'
import { postCallback } from '../post-callback.js'

interface SendFlags extends ApiFlags {
  file?: string
  taskId?: string
  type?: string
  status?: number
  subscriber?: string
  to?: string
  json?: true
}

/** The answer of `POST /test-events` and of the public endpoint. */
interface SendAnswer { status: string, eventId?: string | null }

const OWN_FIELDS = ['taskId', 'type', 'status']

/** Adds the command. */
export function addSend (program: Command, deps: ProgramDeps): void {
  const command = program.command('send')
    .description('Send a test callback. It takes the same path as every callback; its event has the flag test.')
    .addOption(new Option('--file <file>', 'file with the callback, sent byte for byte; - reads standard input').conflicts(OWN_FIELDS))
    .option('--task-id <id>', 'taskId (default: a new one, test-…)')
    .option('--type <type>', 'type (default: test)')
    .option('--status <number>', 'status: 0 in progress, 1 completed, 2 failed (default: 1)', integer)
    .option('--subscriber <name>', 'deliver it to this subscriber only')
    .addOption(new Option('--to <url>', 'post it to a public endpoint instead, as Fotor does; its event has no flag test').conflicts('subscriber'))
    .option('--json', 'print the answer as one JSON document')
    .action(async (flags: SendFlags) => { await send(flags, deps) })
  addExamples(addApiOptions(command), [
    ['send --subscriber billing', 'does billing get its events?'],
    ['send --type avatar --status 2 --task-id my-test-1', 'a failed task, to every subscriber that matches it'],
    ['send --file callback.json --to https://relay.example.com/webhooks/fotor', 'from outside, as Fotor does']
  ])
}

async function send (flags: SendFlags, deps: ProgramDeps): Promise<void> {
  const { terminal } = deps
  const callback = flags.file === undefined ? null : await readCallback(flags.file, deps)
  const taken = flags.to === undefined ? await throughApi(flags, callback, deps) : await postCallback(flags.to, callback ?? madeUp(flags), flags)
  if (flags.json === true) return terminal.json(taken)
  const { status, eventId = null } = taken
  terminal.out(plainText(eventId === null ? status : `${status} ${eventId}`))
  if (eventId !== null && flags.to === undefined) terminal.error(`See its deliveries with: ${commandLine(`show ${plainText(eventId)}`, flags)}`)
}

async function readCallback (file: string, { terminal }: ProgramDeps): Promise<Buffer> {
  if (file === '-') return await terminal.readInput()
  try {
    return readFileSync(file)
  } catch (error) {
    throw badUsage(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'})`, 'name a file that holds a callback, or - for standard input')
  }
}

async function throughApi (flags: SendFlags, callback: Buffer | null, deps: ProgramDeps): Promise<SendAnswer> {
  const { taskId, type, status, subscriber } = flags
  const body = callback === null ? { taskId, type, status } : { body: textOf(callback) }
  return await (await openApi(flags, deps)).post<SendAnswer>('/test-events', { ...body, subscriber })
}

/** The API takes the callback inside a JSON document, which can contain text only. */
function textOf (callback: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(callback)
  } catch {
    throw badUsage('the callback is not UTF-8, so the gateway cannot accept it', 'to see the refusal, post it to the public endpoint with --to URL')
  }
}

/** The same defaults as those of the API. */
function madeUp ({ taskId = `test-${sortableId(Date.now())}`, type = 'test', status = 1 }: SendFlags): Buffer {
  return Buffer.from(JSON.stringify({ taskId, status, type }))
}

function integer (written: string): number {
  if (/^-?\d{1,9}$/.test(written)) return Number(written)
  throw new InvalidArgumentError('It takes a whole number.')
}
