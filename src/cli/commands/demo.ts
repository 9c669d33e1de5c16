/**
 * `fotor-relay demo`: the whole journey of one callback on this machine, with
 * nothing to set up and nothing left behind.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { addExamples } from '../api-command.js'
import { readConfig } from '../config-file.js'
import { openSubscribers } from '../demo/open-subscribers.js'
import { tellStory } from '../demo/story.js'
import type { ProgramDeps } from '../deps.js'
import { runGateway } from '../running.js'

interface DemoFlags { config?: string, once?: true }

/** Adds the command. */
export function addDemo (program: Command, deps: ProgramDeps): void {
  const command = program.command('demo')
    .description('Run a demo on this machine until Ctrl-C: a gateway, a subscriber and Fotor\'s sample callback. Leaves nothing behind.')
    .option('--config <file>', 'another configuration file, for example with other ports (default: the package\'s config/demo.yaml)')
    .option('--once', 'stop after the delivery')
    .action(async (flags: DemoFlags) => { await demo(flags, deps) })
  addExamples(command, [
    ['demo', 'stays up, so that you can try things in another terminal'],
    ['demo --once', 'for a script: exit code 0 when the callback was delivered']
  ])
}

async function demo ({ config: named, once }: DemoFlags, deps: ProgramDeps): Promise<void> {
  const { env, terminal, packageDir } = deps
  const configFile = resolve(named ?? join(packageDir, 'config', 'demo.yaml'))
  const config = await readConfig(configFile, deps)
  const dataDir = mkdtempSync(join(tmpdir(), 'fotor-relay-demo-'))
  const audience = await openSubscribers(config.subscribers, { configFile, terminal }).catch((error: unknown) => {
    rmSync(dataDir, { recursive: true, force: true })
    throw error
  })
  try {
    await runGateway({
      configFile,
      terminal,
      // Without tokens the gateway creates one in the dataDir, where the story can refer to it.
      start: async signal => await deps.startGateway({
        configFile, env, signal, overrides: running => ({ ...running, dataDir, admin: { ...running.admin, tokens: [] }, log: { level: 'error' } })
      }),
      async onRunning (gateway) {
        await tellStory({ gateway, audience, terminal, packageDir, tokenFile: join(dataDir, 'admin-token'), staysUp: once !== true })
        return once === true ? 'stop' : 'stay'
      }
    })
  } finally {
    await audience.close()
    rmSync(dataDir, { recursive: true, force: true })
  }
  if (once !== true) terminal.out('Stopped; everything the demo made is removed.')
}
