/**
 * `fotor-relay pause`: stops deliveries to one subscriber until it is resumed.
 */
import type { Command } from 'commander'
import { addApiOptions, addExamples, openApi } from '../api-command.js'
import type { ApiFlags } from '../command-line.js'
import type { ProgramDeps } from '../deps.js'

/** Adds the command. */
export function addPause (program: Command, deps: ProgramDeps): void {
  const command = program.command('pause')
    .description('Hold all deliveries to a subscriber. New events are still recorded for it; waiting uses up no attempts and no age.')
    .argument('<name>', 'name of the subscriber')
    .action(async (name: string, flags: ApiFlags) => {
      const api = await openApi(flags, deps)
      await api.post(`/subscribers/${encodeURIComponent(name)}/pause`)
      deps.terminal.out(`${name} is paused; resume its deliveries with: ${api.command(`resume ${name}`)}`)
    })
  addExamples(addApiOptions(command), [['pause billing', 'while billing is being repaired']])
}
