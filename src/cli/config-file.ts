/**
 * Which configuration file a command means, and what to say when it has
 * faults.
 */
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Config } from '../config/config.js'
import { loadConfig } from '../config/load.js'
import type { Fault } from '../config/fault.js'
import { counted } from './counted.js'
import type { ProgramDeps } from './deps.js'
import { CommandFailure } from './failure.js'
import { plainText } from './plain-text.js'
import type { Terminal } from './terminal.js'

const USUAL_PLACE = join('config', 'relay.yaml')

/**
 * The file that `--config` names, else RELAY_CONFIG, else `config/relay.yaml`
 * here, else the one that came with the package.
 */
export function chooseConfigFile (flag: string | undefined, { env, packageDir }: Pick<ProgramDeps, 'env' | 'packageDir'>): string {
  const named = flag ?? env['RELAY_CONFIG'] ?? ''
  if (named !== '') return named
  return existsSync(USUAL_PLACE) ? USUAL_PLACE : join(packageDir, USUAL_PLACE)
}

/**
 * Loads a file.
 *
 * @throws CommandFailure, exit code 2, after the faults were listed on standard error
 */
export async function readConfig (file: string, { env, terminal }: Pick<ProgramDeps, 'env' | 'terminal'>): Promise<Config> {
  const loaded = await loadConfig({ file, env })
  if ('config' in loaded) return loaded.config
  listFaults(loaded.faults, file, terminal)
  throw faultsIn(file, loaded.faults.length)
}

/** Lists faults on standard error: where each is, what is wrong, what to write. */
export function listFaults (faults: readonly Fault[], file: string, terminal: Terminal): void {
  const { error, paintError } = terminal
  for (const fault of faults) {
    const place = [shortPath(file), fault.line, fault.column].filter(part => part !== null).join(':')
    const message = plainText(fault.message)
    const sentence = fault.path === '' ? message : `${paintError.bold(plainText(fault.path))} ${message}`
    error(`${paintError.red(plainText(place))}  ${sentence}`)
    if (fault.hint !== undefined) error(`    → ${plainText(fault.hint)}`)
  }
}

/** What a command ends with after it has listed faults. */
export function faultsIn (file: string, count: number): CommandFailure {
  return new CommandFailure(`${counted(count, 'fault')} in ${shortPath(file)}`, {
    exitCode: 2, nextSteps: ['correct it, then check again with: fotor-relay check ' + shortPath(file)]
  })
}

/** The path from here when it is below here, else as it is. */
export function shortPath (file: string): string {
  const short = relative(process.cwd(), file)
  return short === '' || short.startsWith('..') ? file : short
}
