/**
 * `fotor-relay reload`: makes every replica of the gateway take up its changed
 * configuration, or none of it.
 */
import type { Command } from 'commander'
import { RefusedByGateway } from '../admin-api.js'
import { addApiOptions, addExamples, openApi } from '../api-command.js'
import { listFaults } from '../config-file.js'
import type { ApiFlags } from '../command-line.js'
import type { ProgramDeps } from '../deps.js'
import { CommandFailure } from '../failure.js'
import { plainText } from '../plain-text.js'

/** Adds the command. */
export function addReload (program: Command, deps: ProgramDeps): void {
  const command = program.command('reload')
    .description('Apply the changed configuration file to the running gateway: all of it, or nothing.')
    .action(async (flags: ApiFlags) => { await reload(flags, deps) })
  addExamples(addApiOptions(command), [['reload', 'after a change of the configuration file or of a secret it names']])
}

async function reload (flags: ApiFlags, deps: ProgramDeps): Promise<void> {
  const { terminal } = deps
  const api = await openApi(flags, deps)
  try {
    const { changed } = await api.post<{ changed: string[] }>('/config/reload')
    terminal.out(changed.length === 0 ? 'Reloaded; nothing has changed.' : `Reloaded; changed: ${plainText(changed.join(', '))}`)
  } catch (error) {
    if (!(error instanceof RefusedByGateway) || error.faults.length === 0) throw error
    listFaults(error.faults, 'the gateway\'s configuration', terminal)
    throw new CommandFailure('nothing was reloaded; the previous configuration stays in use', {
      exitCode: 2, nextSteps: [`correct the file, then try again: ${api.command('reload')}`], cause: error
    })
  }
}
