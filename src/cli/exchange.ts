/**
 * One HTTP request of a command, and what came back. Ends within 30 s, unless
 * it may take longer, follows no redirect, and never repeats what it sent.
 *
 * Not `fetch`: that refuses ports which browsers avoid, 6000 and 10080 among
 * them, and a gateway may well listen there.
 */
import { once } from 'node:events'
import { request as requestHttp, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import { commandLine, startLine, type ApiFlags } from './command-line.js'
import { CommandFailure } from './failure.js'

const TIMEOUT_MS = 30_000

export interface ApiRequest {
  method: 'GET' | 'POST'
  url: string
  headers?: Readonly<Record<string, string>>
  body?: Buffer | string
  /** Ends it, milliseconds; 30 s when left out. */
  timeoutMs?: number
  /** Where the gateway is, as the command line said it; for the next steps. */
  given?: ApiFlags
}

export interface ApiAnswer {
  /** 200–599. */
  status: number
  /** Parsed JSON; `null` when it was none. */
  document: unknown
  /** The other side's clock, epoch milliseconds; `null` when it did not say. */
  dateMs: number | null
}

/** Nobody answered. */
export class NoAnswer extends CommandFailure {
  /** `ECONNREFUSED`, `ENOTFOUND`, `TIMEOUT`, … */
  readonly reason: string

  constructor (message: string, options: { reason: string, nextSteps: readonly string[], cause: unknown }) {
    super(message, options)
    this.reason = options.reason
  }
}

/** @throws NoAnswer, which names the origin and not the path: that may hold a secret */
export async function exchange ({ method, url, headers = {}, body, timeoutMs = TIMEOUT_MS, given = {} }: ApiRequest): Promise<ApiAnswer> {
  try {
    const open = url.toLowerCase().startsWith('https:') ? requestHttps : requestHttp
    const request = open(url, { method, headers, agent: false, signal: AbortSignal.timeout(timeoutMs) })
    request.end(body)
    const [response] = await once(request, 'response') as [IncomingMessage]
    const chunks: Buffer[] = []
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
    return {
      status: response.statusCode ?? 0,
      document: parsed(Buffer.concat(chunks).toString('utf8')),
      dateMs: dateOf(response.headers.date ?? '')
    }
  } catch (error) {
    throw noAnswer(new URL(url).origin, error, { given, timeoutMs })
  }
}

function parsed (text: string): unknown {
  try { return JSON.parse(text) as unknown } catch { return null }
}

function dateOf (header: string): number | null {
  const ms = Date.parse(header)
  return Number.isNaN(ms) ? null : ms
}

function noAnswer (origin: string, error: unknown, { given, timeoutMs }: Required<Pick<ApiRequest, 'given' | 'timeoutMs'>>): NoAnswer {
  const reason = reasonOf(error)
  if (reason === 'TIMEOUT') {
    return new NoAnswer(`${origin} gave no answer within ${timeoutMs / 1_000} s`, {
      reason, nextSteps: [`see what the gateway is doing: its log, or ${commandLine('doctor', given)}`], cause: error
    })
  }
  const why = reason === 'ECONNREFUSED' ? ' — is it running?' : ` (${reason})`
  return new NoAnswer(`no gateway answers at ${origin}${why}`, {
    reason, nextSteps: [`start it with: ${startLine(given)}`], cause: error
  })
}

function reasonOf (error: unknown): string {
  if (!(error instanceof Error)) return 'unknown reason'
  if (error.name === 'AbortError') return 'TIMEOUT'
  return 'code' in error ? String(error.code) : error.name
}
