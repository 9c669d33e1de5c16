/**
 * Checks what the gateway needs of the machine: Node, a redis-server program and
 * the data directory. Changes nothing, and does not create the directory.
 */
import { accessSync, constants, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Config } from '../../config/config.js'
import type { ProgramDeps } from '../deps.js'
import { shortPath } from '../config-file.js'
import { bad, good, warning, type Finding } from './finding.js'

const OLDEST_NODE = [20, 19] as const
/** Any permission of other users. */
const OTHERS = 0o077

/** @param version  as `process.versions.node` has it: `20.19.0` */
export function probeNode (version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const isNewEnough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])
  return isNewEnough ? good('node', `Node ${version}`) : bad('node', `Node ${version} is too old`, `install Node ${OLDEST_NODE.join('.')} or newer`)
}

/** @param config  `null` if it has faults: then the program may be needed */
export async function probeRedisProgram ({ findServerProgram, env }: ProgramDeps, config: Config | null): Promise<Finding> {
  if (config !== null && isExternal(config)) return good('redis', 'an external Redis is configured, so no redis-server program is needed')
  try {
    const { path, version } = await findServerProgram(env)
    return good('redis', `${path} ${version} for the gateway's own Redis`)
  } catch (error) {
    return bad('redis', 'no redis-server program for the gateway\'s own Redis', error instanceof Error ? error.message : String(error))
  }
}

function isExternal ({ redis }: Config): boolean {
  return redis.url !== null || redis.sentinel !== null || redis.cluster !== null
}

/** Whether this user can store data there, and nobody else can read it. */
export function probeDataDir ({ dataDir }: Config): Finding {
  const found = statSync(dataDir, { throwIfNoEntry: false })
  if (found === undefined) return probeParent(dataDir)
  const name = shortPath(dataDir)
  if (!found.isDirectory()) return bad('dataDir', `${name} is not a directory`, 'remove it, or set another dataDir in the configuration')
  const uid = process.getuid?.()
  if (uid !== undefined && found.uid !== uid) {
    return bad('dataDir', `${name} belongs to another user (uid ${found.uid}, you are ${uid})`, 'run the gateway as its owner, or set another dataDir')
  }
  if (!isWritable(dataDir)) return bad('dataDir', `${name} cannot be written to`, `chmod 700 ${dataDir}`)
  if ((found.mode & OTHERS) !== 0) return warning('dataDir', `${name} is open to other users`, `chmod 700 ${dataDir} (the gateway does it when it starts)`)
  return good('dataDir', `${name} is writable and private`)
}

/** The gateway will create it, so the nearest existing directory above it must be writable. */
function probeParent (dataDir: string): Finding {
  let parent = dirname(dataDir)
  while (statSync(parent, { throwIfNoEntry: false }) === undefined) parent = dirname(parent)
  return isWritable(parent)
    ? good('dataDir', `${shortPath(dataDir)} will be created`)
    : bad('dataDir', `${shortPath(dataDir)} cannot be created: ${parent} cannot be written to`, 'set another dataDir in the configuration')
}

function isWritable (directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}
