/**
 * A client of the admin API: every command but a few speaks to the gateway
 * through this and has no other way in.
 *
 * Whatever goes wrong becomes a CommandFailure that says what to do next; none
 * holds a token.
 */
import type { Fault } from '../config/fault.js'
import { commandLine } from './command-line.js'
import { exchange, NoAnswer, type ApiAnswer } from './exchange.js'
import { CommandFailure, type ExitCode } from './failure.js'
import type { ApiPlace } from './find-api.js'

/** Filters and the like; absent ones are left out. */
export type Query = Readonly<Record<string, string | undefined>>

export interface AdminApi {
  readonly url: string
  /** @param path  below `/api/v1`: `/events` */
  get<T> (path: string, query?: Query): Promise<T>
  post<T> (path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<T>
  /** A post that only counts, and may take as long as it takes to look through a large record: ten minutes. */
  count<T> (path: string, body: unknown): Promise<T>
  /** `/readyz` and `/healthz` need no token, and every status of theirs is an answer. */
  probe (path: string): Promise<ApiAnswer>
  /** A command for the person to type next, aimed at the same gateway. */
  command (words: string): string
}

/** RFC 9457, as the gateway writes it. */
interface ProblemDocument {
  title?: string
  detail?: string
  /** Each query parameter or field that is wrong; `detail` says how. */
  errors?: Array<{ name: string }>
  /** Of a configuration that was refused. */
  faults?: Fault[]
}

/** Carries what the gateway answered, for commands that can say more. */
export class RefusedByGateway extends CommandFailure {
  /** Of HTTP, 300–599. */
  readonly status: number
  /** Of a configuration that was refused; empty otherwise. */
  readonly faults: readonly Fault[]

  constructor (message: string, options: { status: number, faults: readonly Fault[], exitCode: ExitCode, nextSteps: readonly string[] }) {
    super(message, options)
    this.status = options.status
    this.faults = options.faults
  }
}

/** Milliseconds. */
const COUNTING_MS = 10 * 60_000

/** Makes a client; nothing is sent yet. */
export function adminApi (place: ApiPlace): AdminApi {
  async function request<T> ({ path, ...question }: Question): Promise<T> {
    const answer = await ask(place, { ...question, path: '/api/v1' + path })
    if (answer.status >= 200 && answer.status < 300 && answer.document !== null) return answer.document as T
    throw refusal(place, answer)
  }
  return {
    url: place.url,
    get: async (path, query = {}) => await request({ method: 'GET', path: path + queryText(query) }),
    post: async (path, body, headers) => await request({ method: 'POST', path, body, headers }),
    count: async (path, body) => await request({ method: 'POST', path, body, timeoutMs: COUNTING_MS }),
    probe: async path => await ask({ ...place, token: null }, { method: 'GET', path }),
    command: words => commandLine(words, place.given)
  }
}

function queryText (query: Query): string {
  const pairs = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return pairs.length === 0 ? '' : '?' + new URLSearchParams(pairs).toString()
}

interface Question { method: 'GET' | 'POST', path: string, body?: unknown, headers?: Readonly<Record<string, string>> | undefined, timeoutMs?: number }

async function ask ({ url, token, given = {} }: ApiPlace, { method, path, body, headers: more, ...time }: Question): Promise<ApiAnswer> {
  const headers: Record<string, string> = { accept: 'application/json', ...more }
  if (token !== null) headers['authorization'] = `Bearer ${token.value}`
  if (body !== undefined) headers['content-type'] = 'application/json'
  try {
    return await exchange({ method, url: url + path, headers, given, ...time, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    const { message, reason, nextSteps } = error
    throw new NoAnswer(message, {
      reason, cause: error, nextSteps: [...nextSteps, 'or give its address: --url URL, --config FILE or RELAY_ADMIN_URL']
    })
  }
}

function refusal (place: ApiPlace, { status, document }: ApiAnswer): CommandFailure {
  const { title, detail = title, errors = [], faults = [] } = (document ?? {}) as ProblemDocument
  if (status === 401) return unauthorized(place)
  if (detail === undefined) {
    return new CommandFailure(`${place.url} answers ${status}, but not like a gateway`, {
      nextSteps: ['is that the admin listener? Its address is admin.listen in the configuration']
    })
  }
  const flags = errors.map(({ name }) => flagOf(name)).filter(flag => flag !== null)
  return new RefusedByGateway(detail, {
    status,
    faults,
    exitCode: status === 400 || status === 422 ? 2 : 1,
    nextSteps: [
      ...flags.length > 0 ? [`correct ${flags.join(' and ')}`] : [],
      ...status === 403 ? ['give an operator\'s token with --token-file FILE'] : []
    ]
  })
}

const OTHER_NAMES: Readonly<Record<string, string>> = { eventIds: 'event-id', ratePerSecond: 'rate' }

/** The flag that stands for a name of the API; `null` when none does. */
function flagOf (name: string): string | null {
  if (name === 'body' || !/^[a-zA-Z]+$/.test(name)) return null
  return '--' + (OTHER_NAMES[name] ?? name.replace(/[A-Z]/g, letter => '-' + letter.toLowerCase()))
}

function unauthorized ({ url, token, withoutToken }: ApiPlace): CommandFailure {
  const says = token === null
    ? `${url} needs a token, and none was found${withoutToken === undefined ? '' : `: ${withoutToken}`}`
    : `${url} does not accept the token from ${token.source}`
  return new CommandFailure(says, {
    nextSteps: ['give another token with --token-file FILE or RELAY_ADMIN_TOKEN, or the gateway\'s configuration with --config FILE']
  })
}
