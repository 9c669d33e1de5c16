/**
 * Posts a callback to a public endpoint, as Fotor does, and says what a
 * refusal means for the person at the terminal.
 */
import { badUsage, CommandFailure } from './failure.js'
import { exchange, type Answer } from './exchange.js'

/** What the public endpoint answers when it has the callback. */
export interface Accepted {
  status: 'accepted' | 'duplicate' | 'spooled'
  eventId?: string
}

const STEPS: Readonly<Record<number, readonly string[]>> = {
  403: [
    'add the address that you come from to ingest.allowFrom of the gateway\'s configuration, or set ingest.allowlist to monitor',
    'behind a proxy of your own, add the proxy to ingest.trustedProxies; then: fotor-relay reload'
  ],
  404: ['the path of the URL must be that of ingest.path in the gateway\'s configuration'],
  413: ['ingest.maxBody in the gateway\'s configuration is the limit'],
  429: ['ingest.rateLimit in the gateway\'s configuration is the limit; wait a little'],
  503: ['the gateway cannot make it durable now; see why with: fotor-relay status']
}

/**
 * @param url  of the endpoint; its path may hold a secret and is never repeated
 * @throws     CommandFailure for every answer but 200
 */
export async function postCallback (url: string, callback: Buffer): Promise<Accepted> {
  if (!URL.canParse(url) || !/^https?:\/\//i.test(url)) {
    throw badUsage('--to does not hold a URL that starts with http:// or https://', 'write --to https://relay.example.com/webhooks/fotor')
  }
  const answer = await exchange({ method: 'POST', url, headers: { 'content-type': 'application/json' }, body: callback })
  if (answer.status === 200 && answer.document !== null) return answer.document as Accepted
  throw new CommandFailure(`${new URL(url).origin} answered ${answer.status}${meaningOf(answer)}`, { nextSteps: STEPS[answer.status] ?? [] })
}

function meaningOf ({ status, document }: Answer): string {
  if (status === 403) return ': this address is not in ingest.allowFrom'
  const { detail, title } = (document ?? {}) as { detail?: string, title?: string }
  const says = detail ?? title
  return says === undefined ? '' : `: ${says}`
}
