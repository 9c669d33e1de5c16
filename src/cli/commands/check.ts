/**
 * `fotor-relay check`: reads a configuration and prints its values, without
 * starting anything.
 */
import type { Command } from 'commander'
import { loadConfig } from '../../config/load.js'
import { describeConfig } from '../../config/mask.js'
import { warnings } from '../../config/warnings.js'
import { addExamples } from '../api-command.js'
import { describeClaimsNeed } from '../claims-need.js'
import { chooseConfigFile, faultsIn, listFaults, shortPath } from '../config-file.js'
import type { ProgramDeps } from '../deps.js'

interface CheckFlags { json?: true, config?: string }

/** Adds the command. */
export function addCheck (program: Command, deps: ProgramDeps): void {
  const command = program.command('check')
    .description('Check a configuration file: print its values with secrets masked, or list every fault.')
    .argument('[file]', 'configuration file (or RELAY_CONFIG; default: config/relay.yaml)')
    .option('--config <file>', 'the same as the argument')
    .option('--json', 'print {file, valid, faults, warnings} as one JSON document')
    .action(async (file: string | undefined, flags: CheckFlags) => { await check(file ?? flags.config, flags, deps) })
  addExamples(command, [
    ['check', 'checks config/relay.yaml and prints its values'],
    ['check /etc/relay/relay.yaml && fotor-relay reload', 'reloads only if the file has no fault']
  ])
}

async function check (named: string | undefined, { json }: CheckFlags, deps: ProgramDeps): Promise<void> {
  const { env, terminal } = deps
  const file = chooseConfigFile(named, deps)
  const loaded = await loadConfig({ file, env })
  const faults = 'faults' in loaded ? loaded.faults : []
  const warned = 'config' in loaded ? warnings(loaded.config) : []
  if (json === true) terminal.json({ file, valid: faults.length === 0, faults, warnings: warned })
  else listFaults(faults, file, terminal)
  if ('faults' in loaded) throw faultsIn(file, faults.length)
  if (json === true) return
  terminal.out(describeConfig(loaded.config))
  terminal.out('')
  terminal.out(describeClaimsNeed(loaded.config))
  for (const warning of warned) terminal.out(`${terminal.paint.yellow('!')} ${warning}`)
  terminal.out(`${terminal.paint.green('✓')} ${shortPath(file)} can be used`)
}
