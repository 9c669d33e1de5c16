/**
 * The commands of `fotor-relay`, one file each. Reading this top to bottom is
 * reading what the program can do; none of it runs before it is asked to.
 */
import { Command } from 'commander'
import { addAlerts } from './commands/alerts.js'
import { addCheck } from './commands/check.js'
import { addDemo } from './commands/demo.js'
import { addDiscard } from './commands/discard.js'
import { addDoctor } from './commands/doctor.js'
import { addEvents } from './commands/events.js'
import { addExport } from './commands/export.js'
import { addImport } from './commands/import.js'
import { addPause } from './commands/pause.js'
import { addPurge } from './commands/purge.js'
import { addRelease } from './commands/release.js'
import { addReload } from './commands/reload.js'
import { addReplay } from './commands/replay.js'
import { addResume } from './commands/resume.js'
import { addSend } from './commands/send.js'
import { addShow } from './commands/show.js'
import { addStart } from './commands/start.js'
import { addStatus } from './commands/status.js'
import type { ProgramDeps } from './deps.js'

const AFTER = `
Exit codes: 0 clean, 1 failed, 2 bad usage or configuration.
Results are on standard output, everything else on standard error; reading commands take --json.

First steps:
  $ fotor-relay demo        see it work, with nothing to set up
  $ fotor-relay check       read the configuration back
  $ fotor-relay start       run the gateway
  $ fotor-relay doctor      find out why something does not work`

/** Builds the program; a usage error throws a CommanderError once it has been written. */
export function buildProgram (deps: ProgramDeps): Command {
  const { terminal } = deps
  const program = new Command('fotor-relay')
    .description('Webhook gateway for Fotor: stores each callback safely and delivers it to every matching subscriber.')
    .version(deps.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .showHelpAfterError('Help: add --help to the command, or run: fotor-relay help')
    .addHelpText('after', AFTER)
    .exitOverride()
    .configureOutput({
      writeOut: text => { terminal.out(text.trimEnd()) },
      writeErr: text => { terminal.error(text.trimEnd()) },
      outputError: (text, write) => { write(suggestBeginnings(text, program.commands.map(command => command.name()))) },
      getOutHelpWidth: () => Math.min(terminal.columns, 100),
      getErrHelpWidth: () => 100
    })

  program.commandsGroup('Run the gateway:')
  addStart(program, deps)
  addDemo(program, deps)
  addCheck(program, deps)
  addDoctor(program, deps)

  program.commandsGroup('See what happened:')
  addStatus(program, deps)
  addAlerts(program, deps)
  addEvents(program, deps)
  addShow(program, deps)

  program.commandsGroup('Control deliveries:')
  addReplay(program, deps)
  addDiscard(program, deps)
  addRelease(program, deps)
  addPause(program, deps)
  addResume(program, deps)
  addReload(program, deps)
  addSend(program, deps)

  program.commandsGroup('Move and delete data:')
  addExport(program, deps)
  addImport(program, deps)
  addPurge(program, deps)
  return program
}

/** Commander suggests only what is spelt most alike; whoever typed the beginning of a command may mean that. */
function suggestBeginnings (text: string, names: readonly string[]): string {
  const typed = /unknown command '([a-z]{2,})'/.exec(text)?.[1]
  const begun = names.filter(name => typed !== undefined && name.startsWith(typed))
  if (begun.length === 0) return text
  const [message = '', suggested = ''] = text.split(/\n\(Did you mean (?:one of )?(.*)\?\)/)
  const all = [...new Set([...begun, ...suggested.split(', ').filter(name => name !== '')])]
  return `${message.trimEnd()}\n(Did you mean ${all.length > 1 ? 'one of ' : ''}${all.join(', ')}?)\n`
}
