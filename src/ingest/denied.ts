/**
 * What we still do for a caller that is turned away before its body was asked
 * for: notice when it looks like the real sender.
 *
 * Allowlists go stale and break behind proxies, a URL is mistyped or outlives
 * the secret in it, in silence, and the sender's callbacks are lost for good. So
 * a few of the refused bodies are read and, when they are readable callbacks,
 * kept; and a proxy that should be trusted is named. All of it is bounded,
 * because anybody can be refused.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { readIdentity } from '../accept/identity.js'
import type { Report } from '../model/fact.js'
import { createAllowance } from './allowance.js'
import { announcesBody, readBody } from './body.js'
import type { IngestPolicy } from './policy.js'
import { isPrivate, type Source } from './source-address.js'

const MINUTE_MS = 60_000
/** Refused bodies that may be read per minute, and at one time. */
const READS_PER_MINUTE = 30
const READS_AT_ONCE = 4
const MAX_SAMPLE_BYTES = 64 * 1024
/** For one of them, milliseconds. */
const SAMPLE_WITHIN_MS = 2_000

/** @returns the body when it is a readable callback, else `null`. Never rejects */
export type Sample = (request: FastifyRequest, reply: FastifyReply) => Promise<Buffer | null>

/** Makes a sampler with its own bounds. @param withinMs  how long a body may take; 2 s when left out */
export function createSampler (withinMs = SAMPLE_WITHIN_MS): Sample {
  const allowance = createAllowance(READS_PER_MINUTE, MINUTE_MS)
  let reading = 0
  return async (request, reply) => {
    if (!announcesBody(request.raw) || reading >= READS_AT_ONCE || !allowance.take()) return null
    reading++
    try {
      const body = await readBody(request.raw, reply.raw, { maxBytes: MAX_SAMPLE_BYTES, maxMs: withinMs })
      if (body.kind !== 'whole') return null
      return readIdentity(body.bytes, []).kind === 'readable' ? body.bytes : null
    } finally {
      reading--
    }
  }
}

/** Makes a reporter of proxies that are not trusted but look as if they should be; at most one fact a minute. */
export function createProxyAdviser (report: Report): (source: Source, policy: IngestPolicy) => void {
  const allowance = createAllowance(1, MINUTE_MS)
  return (source, policy) => {
    if (!source.hidesMore || !isPrivate(source.address) || !allowance.take()) return
    report({ fact: 'callback.proxy-untrusted', source: source.text, advice: adviceFor(source, policy) })
  }
}

/** The line of the configuration that would make us believe this proxy. */
function adviceFor (source: Source, policy: IngestPolicy): string {
  const block = `${source.text}/${source.address?.kind() === 'ipv6' ? 128 : 32}`
  const entries = [...policy.trustedProxies, block].map(entry => entry.includes(':') ? `"${entry}"` : entry)
  return `trustedProxies: [${entries.join(', ')}]`
}
