/**
 * `fotor-relay resume`: ends the hold of a subscriber that an operator paused or
 * that answered 410.
 */
import type { Command } from 'commander'
import { addApiOptions, addExamples, openApi } from '../api-command.js'
import type { ApiFlags } from '../command-line.js'
import type { ProgramDeps } from '../deps.js'

/** Adds the command. */
export function addResume (program: Command, deps: ProgramDeps): void {
  const command = program.command('resume')
    .description('Resume deliveries to a subscriber after a pause or after it answered 410 Gone.')
    .argument('<name>', 'name of the subscriber')
    .action(async (name: string, flags: ApiFlags) => {
      const api = await openApi(flags, deps)
      await api.post(`/subscribers/${encodeURIComponent(name)}/resume`)
      deps.terminal.out(`${name} is resumed; replay deliveries that failed in the meantime with: ${api.command(`replay --subscriber ${name}`)}`)
    })
  addExamples(addApiOptions(command), [['resume billing', 'billing is repaired: waiting deliveries are sent now']])
}
