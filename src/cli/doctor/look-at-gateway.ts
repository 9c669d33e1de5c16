/**
 * Whether a gateway answers where the configuration says, and how it feels.
 */
import { adminApi } from '../admin-api.js'
import type { ReadinessAnswer } from '../answers.js'
import { formatAddress, type Config } from '../../config/config.js'
import { NoAnswer, type Answer } from '../exchange.js'
import { reachable } from '../find-api.js'
import { bad, good, warning, type Finding } from './finding.js'

/** A subscriber that checks `webhook-timestamp` allows five minutes; half a minute is the time to look. */
const MOST_SKEW_MS = 30_000

export interface GatewayLook {
  findings: Finding[]
  /** Whether something that speaks like a gateway answers. */
  isUp: boolean
}

/** Asks `/readyz`, which needs no token. */
export async function lookAtGateway (config: Config): Promise<GatewayLook> {
  const url = `http://${formatAddress(reachable(config.admin.listen))}`
  const api = adminApi({ url, token: null })
  try {
    const answer = await api.probe('/readyz')
    if (!isReadiness(answer.document)) {
      return { isUp: false, findings: [bad('gateway', `${url} answers, but not as a gateway does`, 'another program has the port: change admin.listen in the configuration')] }
    }
    return { isUp: true, findings: [describe(answer.document, url), ...skewOf(answer)] }
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    return { isUp: false, findings: [warning('gateway', error.reason === 'ECONNREFUSED' ? `none runs at ${url}` : error.message, 'start it with: fotor-relay start')] }
  }
}

function isReadiness (document: unknown): document is ReadinessAnswer {
  return typeof document === 'object' && document !== null && 'status' in document && 'reasons' in document && Array.isArray(document.reasons)
}

function describe ({ status, reasons }: ReadinessAnswer, url: string): Finding {
  const why = reasons.length === 0 ? '' : `: ${reasons.join('; ')}`
  if (status === 'ok') return good('gateway', `ready at ${url}`)
  if (status === 'degraded') return warning('gateway', `ready at ${url}, but${why.slice(1)}`, 'look at it with: fotor-relay status')
  return bad('gateway', `not ready at ${url}${why}`, 'its log says more; fotor-relay status shows what waits')
}

function skewOf ({ dateMs }: Answer): Finding[] {
  if (dateMs === null) return []
  const skewMs = Math.abs(Date.now() - dateMs)
  return [skewMs <= MOST_SKEW_MS
    ? good('clock', 'this machine and the gateway agree on the time')
    : warning('clock', `this machine and the gateway differ by ${Math.round(skewMs / 1_000)} s`, 'synchronise both with NTP: subscribers refuse deliveries signed at a wrong time')]
}
