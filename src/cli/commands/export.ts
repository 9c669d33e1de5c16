/**
 * `fotor-relay export`: everything that the record holds, as a file.
 */
import type { Command } from 'commander'
import { addExamples } from '../api-command.js'
import { chooseConfigFile, readConfig } from '../config-file.js'
import { counted } from '../counted.js'
import type { ProgramDeps } from '../deps.js'
import { badUsage, CommandFailure } from '../failure.js'
import { runLongWork } from '../long-work.js'
import { redisStories } from '../redis-stories.js'

interface ExportFlags { config?: string, resume?: boolean }

/** Adds the command. */
export function addExport (program: Command, deps: ProgramDeps): void {
  const command = program.command('export')
    .description('Export every event with its body, deliveries and attempts, and all claims and pauses, to a file (NDJSON). Works with and without a running gateway.')
    .argument('<file>', 'name of a new file, or - for standard output')
    .option('--config <file>', 'configuration file of the gateway (or RELAY_CONFIG; default: config/relay.yaml)')
    .option('--resume', 'continue an interrupted export')
    .action(async (file: string, flags: ExportFlags) => { await runExport(file, flags, deps) })
  addExamples(command, [
    ['export relay.ndjson', 'a backup; bodies are in it, so the file is for you alone'],
    ['export relay.ndjson --resume', 'goes on where Ctrl-C or a crash ended it'],
    ['export - | gzip > relay.ndjson.gz', 'a smaller one'],
    ['export - | fotor-relay import - --config new.yaml', 'straight into another Redis']
  ])
}

async function runExport (file: string, { config: named, resume = false }: ExportFlags, deps: ProgramDeps): Promise<void> {
  const { terminal, env, version } = deps
  const toOutput = file === '-'
  if (toOutput && resume) throw badUsage('--resume needs a file: what went to standard output cannot be gone on with')
  const config = await readConfig(chooseConfigFile(named, deps), deps)
  const progress = terminal.progress()
  const goOn = toOutput ? 'run it again' : `go on with: fotor-relay export ${file} --resume`
  try {
    const { counts, earlier } = await runLongWork(async signal => await deps.runExport({
      config,
      env,
      version,
      signal,
      report: redisStories(terminal),
      to: toOutput ? { write: terminal.write } : { file, resume },
      progress: (done, total) => { progress.show(done, total, `${done} of ${counted(total, 'event')}`) }
    }), { message: 'the export was ended before it was complete', nextSteps: [goOn] })
    progress.end()
    terminal.error(`${counted(counts.events, 'event')}${earlier === 0 ? '' : ` (${earlier} of them earlier)`}, ${counted(counts.tasks, 'task')} and ${counted(counts.subscribers, 'pause')} are in ${toOutput ? 'the export' : file}.`)
    const { corrupt = 0 } = counts
    if (corrupt > 0) terminal.error(`${counted(corrupt, 'event')} cannot be read; what is left of it is in lines of the kind corrupt.`)
  } catch (error) {
    progress.end()
    throw isSystemError(error) ? new CommandFailure(`${toOutput ? 'standard output' : file} cannot be written: ${error.message}`, { nextSteps: [goOn], cause: error }) : error
  }
}

function isSystemError (error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
