/**
 * Posts a callback to a public endpoint, as Fotor does, and explains a refusal
 * to the person at the terminal.
 */
import { commandLine, type ApiFlags } from './command-line.js'
import { exchange, type ApiAnswer } from './exchange.js'
import { badUsage, CommandFailure } from './failure.js'

/** The answer of the public endpoint to a callback that it has taken. */
export interface Accepted {
  status: 'accepted' | 'duplicate' | 'spooled'
  /** `evt_` and 26 characters. */
  eventId?: string
}

const STATUSES: readonly unknown[] = ['accepted', 'duplicate', 'spooled']
const EVENT_ID = /^evt_[0-9A-Z]{26}$/

/** What to do about an answer, by its status. */
const STEPS: Readonly<Record<number, (given: ApiFlags) => string[]>> = {
  403: given => [
    'add your address to ingest.allowFrom of the gateway\'s configuration, or set ingest.allowlist to monitor',
    `if you are behind a proxy of your own, add it to ingest.trustedProxies; then: ${commandLine('reload', given)}`
  ],
  404: () => ['the path of the URL must equal ingest.path in the gateway\'s configuration'],
  413: () => ['the limit is ingest.maxBody in the gateway\'s configuration'],
  429: () => ['the limit is ingest.rateLimit in the gateway\'s configuration; wait a moment'],
  503: given => [`the gateway cannot store it durably now; see why with: ${commandLine('status', given)}`]
}

/**
 * @param url    of the endpoint; its path may hold a secret and is never shown
 * @param given  the flags that name the admin API; for the next steps
 * @returns      the fields that a gateway answers, and no others
 * @throws       CommandFailure for every answer but a gateway's 200
 */
export async function postCallback (url: string, callback: Buffer, given: ApiFlags = {}): Promise<Accepted> {
  if (!URL.canParse(url) || !/^https?:\/\//i.test(url)) {
    throw badUsage('the URL of --to does not start with http:// or https://', 'write --to https://relay.example.com/webhooks/fotor')
  }
  const answer = await exchange({ method: 'POST', url, headers: { 'content-type': 'application/json' }, body: callback, given })
  const { origin } = new URL(url)
  if (answer.status !== 200) {
    throw new CommandFailure(`${origin} answered ${answer.status}${meaningOf(answer)}`, { nextSteps: STEPS[answer.status]?.(given) ?? [] })
  }
  const accepted = readAccepted(answer.document)
  if (accepted !== null) return accepted
  throw new CommandFailure(`${origin} answered 200, but not like a gateway`, {
    nextSteps: ['is that the public endpoint? Its URL is ingest.listen and ingest.path in the gateway\'s configuration']
  })
}

/** `null` if this is not the answer of a gateway. */
function readAccepted (document: unknown): Accepted | null {
  const { status, eventId = null } = (document ?? {}) as { status?: unknown, eventId?: unknown }
  if (!STATUSES.includes(status)) return null
  const taken = { status: status as Accepted['status'] }
  if (eventId === null) return taken
  return typeof eventId === 'string' && EVENT_ID.test(eventId) ? { ...taken, eventId } : null
}

function meaningOf ({ status, document }: ApiAnswer): string {
  if (status === 403) return ': this address is not in ingest.allowFrom'
  const { detail, title } = (document ?? {}) as { detail?: string, title?: string }
  const says = detail ?? title
  return says === undefined ? '' : `: ${says}`
}
