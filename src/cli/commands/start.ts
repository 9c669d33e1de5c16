/**
 * `fotor-relay start`: runs the gateway in the foreground until it is stopped.
 */
import { resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { addExamples } from '../api-command.js'
import { chooseConfigFile, shortPath } from '../config-file.js'
import type { ProgramDeps, Role } from '../deps.js'
import { runGateway } from '../running.js'

/** Adds the command. */
export function addStart (program: Command, deps: ProgramDeps): void {
  const command = program.command('start')
    .description('Run the gateway until Ctrl-C or SIGTERM. SIGHUP reloads the configuration.')
    .option('--config <file>', 'configuration file (or RELAY_CONFIG; default: config/relay.yaml)')
    .addOption(new Option('--role <role>', 'role of this process: all, accept callbacks only, or deliver only')
      .choices(['all', 'ingest', 'deliver']).default('all'))
    .action(async (flags: { config?: string, role: Role }) => { await start(flags, deps) })
  addExamples(command, [
    ['start', 'with config/relay.yaml'],
    ['start --config /etc/relay/relay.yaml', 'with another file'],
    ['start --role ingest', 'only takes callbacks; another process, on the same Redis, delivers']
  ])
}

async function start ({ config, role }: { config?: string, role: Role }, deps: ProgramDeps): Promise<void> {
  const { env, terminal } = deps
  const configFile = chooseConfigFile(config, deps)
  await runGateway({
    configFile,
    terminal,
    // The absolute path, so that a client of the gateway can compare files.
    start: async signal => await deps.startGateway({ configFile: resolve(configFile), env, role, signal }),
    async onRunning ({ addresses }) {
      const callbacks = addresses.ingest === '' ? 'delivers only' : `callbacks on ${addresses.ingest}`
      terminal.error(`fotor-relay ${deps.version} runs with ${shortPath(configFile)}: ${callbacks}, operators on ${addresses.admin}`)
      return 'stay'
    }
  })
}
