/**
 * `fotor-relay import`: writes an export into another record.
 */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Command } from 'commander'
import { addExamples } from '../api-command.js'
import { chooseConfigFile, readConfig } from '../config-file.js'
import { counted } from '../counted.js'
import type { ProgramDeps } from '../deps.js'
import { badUsage } from '../failure.js'
import { runLongWork } from '../long-work.js'
import { redisStories } from '../redis-stories.js'

interface ImportFlags { config?: string, merge?: boolean }

/** Adds the command. */
export function addImport (program: Command, deps: ProgramDeps): void {
  const command = program.command('import')
    .description('Import an export into the Redis of a configuration. Its gateway delivers open deliveries within seconds; delivered ones are not sent again. You can run it again after an interruption.')
    .argument('<file>', 'file with an export, or - for standard input')
    .option('--config <file>', 'configuration file of the gateway (or RELAY_CONFIG; default: config/relay.yaml)')
    .option('--merge', 'import beside existing events, which are not changed')
    .action(async (file: string, flags: ImportFlags) => { await runImport(file, flags, deps) })
  addExamples(command, [
    ['import relay.ndjson --config new.yaml', 'into an empty Redis, before or while its gateway runs'],
    ['import - < relay.ndjson', 'from standard input; a packed one comes through gunzip -c relay.ndjson.gz |']
  ])
}

async function runImport (file: string, { config: named, merge = false }: ImportFlags, deps: ProgramDeps): Promise<void> {
  const { terminal, env } = deps
  const fromInput = file === '-'
  const size = fromInput ? null : await sizeOf(file)
  const config = await readConfig(chooseConfigFile(named, deps), deps)
  const progress = terminal.progress()
  try {
    const done = await runLongWork(async signal => await deps.runImport({
      config,
      env,
      merge,
      signal,
      report: redisStories(terminal),
      input: fromInput ? terminal.input() : createReadStream(file),
      warn: sentence => { terminal.error(`${terminal.paintError.yellow('!')} ${sentence}`) },
      progress: (bytes, { events, there }) => { if (size !== null) progress.show(bytes, size, `${counted(events, 'event')}, ${there} existed before`) }
    }), { message: 'the import was interrupted', nextSteps: ['run it again: existing data stays unchanged'] })
    progress.end()
    terminal.error(`${counted(done.events, 'event')} and ${counted(done.tasks, 'task')} imported, ${counted(done.subscribers, 'pause')} set.`)
    if (done.there > 0) terminal.error(`${counted(done.there, 'event', 'events')} existed before.`)
    if (done.duplicates > 0) terminal.error(`${counted(done.duplicates, 'event', 'events')} left out: this Redis had already accepted the same callback.`)
    if (done.corrupt > 0) terminal.error(`${counted(done.corrupt, 'event', 'events')} left out: too much of it could not be read when it was exported.`)
  } finally {
    progress.end()
  }
}

async function sizeOf (file: string): Promise<number> {
  try {
    return (await stat(file)).size
  } catch (error) {
    throw badUsage(`${file} cannot be read: ${(error as Error).message}`)
  }
}
