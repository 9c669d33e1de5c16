/**
 * The common part of commands that use the admin API: the flags that locate it,
 * and a client.
 */
import type { Command } from 'commander'
import { adminApi, type AdminApi } from './admin-api.js'
import type { ApiFlags } from './command-line.js'
import type { ProgramDeps } from './deps.js'
import { findApi } from './find-api.js'

/** Adds `--url`, `--token-file` and `--config`, under their own heading. */
export function addApiOptions (command: Command): Command {
  return command
    .optionsGroup('Connection to the gateway:')
    .option('--url <url>', 'URL of the admin API, such as http://127.0.0.1:8081 (or RELAY_ADMIN_URL; default: admin.listen of the configuration)')
    .option('--token-file <file>', 'file with an admin token (or RELAY_ADMIN_TOKEN; default: the token in the configuration, or <dataDir>/admin-token)')
    .option('--config <file>', 'configuration file of the gateway (or RELAY_CONFIG; default: config/relay.yaml)')
}

/** @throws CommandFailure if the address of the API cannot be found */
export async function openApi (flags: ApiFlags, deps: ProgramDeps): Promise<AdminApi> {
  return adminApi(await findApi(flags, deps))
}

/** Adds `--json`. */
export function addJsonOption (command: Command): Command {
  return command.option('--json', 'print the answer as one JSON document')
}

/** Examples in the help of a command: the words to type, and their purpose. */
export function addExamples (command: Command, examples: ReadonlyArray<[line: string, says: string]>): Command {
  const lines = examples.map(([line, says]) => `  $ fotor-relay ${line}\n      ${says}`)
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`)
}
