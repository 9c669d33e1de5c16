/**
 * Checks whether a gateway answers at the address of the configuration, whether
 * it runs with this configuration, and whether it is healthy.
 */
import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { adminApi, RefusedByGateway, type AdminApi } from '../admin-api.js'
import type { ReadinessAnswer, RememberedAnswer, StatsAnswer } from '../../admin/answers.js'
import { startLine, type ApiFlags } from '../command-line.js'
import { shortPath } from '../config-file.js'
import type { ProgramDeps } from '../deps.js'
import { formatAddress, type Config } from '../../config/config.js'
import { NoAnswer, type ApiAnswer } from '../exchange.js'
import { CommandFailure } from '../failure.js'
import { findApi, isThisMachine, reachable, type ApiPlace } from '../find-api.js'
import { bad, good, warning, type Finding } from './finding.js'

/** A subscriber that checks `webhook-timestamp` allows five minutes; half a minute is early enough to warn. */
const MOST_SKEW_MS = 30_000

/**
 * Which gateway answers: the one that runs with this file; another one; one
 * that does not say which; or none on this machine.
 */
export type GatewayIdentity = 'this' | 'another' | 'unsaid' | 'none'

export interface GatewayProbe {
  findings: Finding[]
  identity: GatewayIdentity
  /** Its claims, if it is the gateway with this file and says so. */
  remembered?: RememberedAnswer | undefined
}

export interface GatewayProbeOptions {
  config: Config
  /** Of `config`. */
  file: string
  flags: ApiFlags
  deps: ProgramDeps
}

/** Asks `/readyz`, which needs no token, and then for the file that it runs with. */
export async function probeGateway (question: GatewayProbeOptions): Promise<GatewayProbe> {
  const place = await placeOf(question)
  if ('findings' in place) return place
  const api = adminApi(place)
  try {
    const answer = await api.probe('/readyz')
    if (!isReadiness(answer.document)) {
      return { identity: 'none', findings: [bad('gateway', `${place.url} answers, but not like a gateway`, 'another program uses the port: change admin.listen in the configuration')] }
    }
    const well = [describe(answer.document, api), ...skewOf(answer)]
    if (isElsewhere(place.url, question.config)) return { identity: 'none', findings: well }
    const { identity, says, remembered } = await identify(api, { place, file: question.file })
    if (identity !== 'another') return { identity, findings: well, remembered }
    return { identity, findings: [bad('gateway', says, 'stop that one, or change admin.listen in the configuration; if it is the right one, name its file with --config, or its token with --token-file')] }
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    const { reason, message, nextSteps: [step = `start it with: ${startLine(question.flags)}`] } = error
    return { identity: 'none', findings: [warning('gateway', reason === 'ECONNREFUSED' ? `none runs at ${place.url}` : message, step)] }
  }
}

/** A failed search for the gateway's address is a finding too. */
async function placeOf ({ flags, deps }: GatewayProbeOptions): Promise<ApiPlace | GatewayProbe> {
  try {
    return await findApi(flags, deps)
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error
    const { message, nextSteps: [step = 'give its address: --url URL --token-file FILE'] } = error
    return { identity: 'unsaid', findings: [bad('gateway', message, step)] }
  }
}

/** Paths of another machine mean nothing here, and its gateway uses no port here. */
function isElsewhere (url: string, { admin }: Config): boolean {
  return url !== `http://${formatAddress(reachable(admin.listen))}` && !isThisMachine(url)
}

async function identify (api: AdminApi, { place, file }: { place: ApiPlace, file: string }): Promise<{ identity: GatewayIdentity, says: string, remembered?: RememberedAnswer | undefined }> {
  try {
    const { process: { configFile, pid }, remembered } = await api.get<StatsAnswer>('/stats')
    if (realPath(configFile) === realPath(file)) return { identity: 'this', says: '', remembered }
    return { identity: 'another', says: `another gateway answers at ${place.url}: it uses ${configFile} (pid ${pid}), not ${shortPath(file)}` }
  } catch (error) {
    if (error instanceof NoAnswer || !(error instanceof CommandFailure)) throw error
    // A refused token is an answer; any other error may come from Redis, which another probe reports.
    if (error instanceof RefusedByGateway) return { identity: 'unsaid', says: '' }
    return { identity: 'another', says: `apparently another gateway: ${error.message}` }
  }
}

function realPath (file: string): string {
  try { return realpathSync(file) } catch { return resolve(file) }
}

function isReadiness (document: unknown): document is ReadinessAnswer {
  return typeof document === 'object' && document !== null && 'status' in document && 'reasons' in document && Array.isArray(document.reasons)
}

function describe ({ status, reasons }: ReadinessAnswer, { url, command }: AdminApi): Finding {
  const why = reasons.length === 0 ? '' : `: ${reasons.join('; ')}`
  if (status === 'ok') return good('gateway', `ready at ${url}`)
  if (status === 'degraded') return warning('gateway', `ready at ${url}, but${why.slice(1)}`, `see more with: ${command('status')}`)
  return bad('gateway', `not ready at ${url}${why}`, `its log says more; see what waits with: ${command('status')}`)
}

function skewOf ({ dateMs }: ApiAnswer): Finding[] {
  if (dateMs === null) return []
  const skewMs = Math.abs(Date.now() - dateMs)
  return [skewMs <= MOST_SKEW_MS
    ? good('clock', 'this machine and the gateway agree on the time')
    : warning('clock', `this machine and the gateway differ by ${Math.round(skewMs / 1_000)} s`, 'synchronise both with NTP: subscribers refuse deliveries signed at a wrong time')]
}
