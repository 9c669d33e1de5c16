/**
 * `fotor-relay doctor`: why does it not work? Checks one thing after the other,
 * from the machine up, and changes nothing.
 */
import type { Command } from 'commander'
import type { Config } from '../../config/config.js'
import { formatFault } from '../../config/fault.js'
import { loadConfig } from '../../config/load.js'
import { warnings } from '../../config/warnings.js'
import { addApiOptions, addExamples } from '../api-command.js'
import type { ApiFlags } from '../command-line.js'
import { chooseConfigFile, shortPath } from '../config-file.js'
import type { ProgramDeps } from '../deps.js'
import { bad, good, warning, type Finding } from '../doctor/finding.js'
import { probeClaims } from '../doctor/probe-claims.js'
import { probeGateway } from '../doctor/probe-gateway.js'
import { probeDataDir, probeNode, probeRedisProgram } from '../doctor/probe-machine.js'
import { probePorts, probeReceivers, probeSubscribers } from '../doctor/probe-network.js'
import { CommandFailure } from '../failure.js'
import { plainText } from '../plain-text.js'
import type { Terminal } from '../terminal.js'

interface DoctorFlags extends ApiFlags { json?: true }

/** Adds the command. */
export function addDoctor (program: Command, deps: ProgramDeps): void {
  const command = program.command('doctor')
    .description('Diagnose problems: check Node, Redis, configuration, data directory, ports, gateway, subscribers and alert receivers, and suggest a next step for each.')
    .option('--json', 'print {healthy, findings} as one JSON document')
    .action(async (flags: DoctorFlags) => { await doctor(flags, deps) })
  addExamples(addApiOptions(command), [
    ['doctor', 'before the first start, or when something is wrong'],
    ['doctor --json | jq ".findings[] | select(.state != \\"good\\")"', 'findings that are not good, for a script']
  ])
}

async function doctor ({ json, ...flags }: DoctorFlags, deps: ProgramDeps): Promise<void> {
  const findings = await examine(flags, deps)
  const troubles = findings.filter(({ state }) => state === 'bad').length
  if (json === true) deps.terminal.json({ healthy: troubles === 0, findings })
  else writeFindings(findings, deps.terminal)
  if (troubles > 0) throw new CommandFailure(troubles === 1 ? '1 problem must be fixed' : `${troubles} problems must be fixed`)
}

async function examine (flags: ApiFlags, deps: ProgramDeps): Promise<Finding[]> {
  const file = chooseConfigFile(flags.config, deps)
  const loaded = await loadConfig({ file, env: deps.env })
  const config = 'config' in loaded ? loaded.config : null
  const ground = [probeNode(process.versions.node), await probeRedisProgram(deps, config)]
  if ('faults' in loaded) {
    const faults = loaded.faults.map(fault => bad('configuration', formatFault(fault, shortPath(file)), `correct it, then: fotor-relay check ${shortPath(file)}`))
    return [...ground, ...faults]
  }
  const running = loaded.config
  const gateway = await probeGateway({ config: running, file, flags, deps })
  return [
    ...ground,
    ...probeConfig(running, file),
    probeDataDir(running),
    ...await probePorts(running, gateway.identity),
    ...gateway.findings,
    ...probeClaims(running, gateway.remembered),
    ...await probeSubscribers(running.subscribers),
    ...await probeReceivers(running.alerts.receivers)
  ]
}

function probeConfig (config: Config, file: string): Finding[] {
  return [
    good('configuration', `${shortPath(file)} can be used`),
    ...warnings(config).map(says => warning('configuration', says, `change it in ${shortPath(file)}, unless it is meant`))
  ]
}

function writeFindings (findings: readonly Finding[], { out, paint }: Terminal): void {
  const marks = { good: paint.green('✓'), warning: paint.yellow('!'), bad: paint.red('✗') }
  const width = Math.max(...findings.map(({ check }) => check.length))
  for (const { check, state, says, nextStep } of findings) {
    out(`${marks[state]} ${paint.bold(check.padEnd(width))}  ${plainText(says)}`)
    if (nextStep !== undefined) out(`  ${' '.repeat(width)}  → ${plainText(nextStep)}`)
  }
}
