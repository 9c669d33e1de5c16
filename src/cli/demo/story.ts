/**
 * The story of the demo: a callback is posted, accepted and delivered; then the
 * reader tries commands.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { adminApi, type AdminApi } from '../admin-api.js'
import type { EventDetailAnswer } from '../../admin/answers.js'
import { shortPath } from '../config-file.js'
import type { RunningGateway } from '../deps.js'
import { CommandFailure } from '../failure.js'
import { postCallback } from '../post-callback.js'
import type { Terminal } from '../terminal.js'
import type { Audience } from './open-subscribers.js'

export interface DemoStory {
  gateway: RunningGateway
  audience: Audience
  terminal: Terminal
  packageDir: string
  /** The file of the admin token that the gateway has created. */
  tokenFile: string
  /** Whether the demo stays up for the reader. */
  staysUp: boolean
}

/** Interval between two polls of the delivery, milliseconds. */
const POLL_EVERY_MS = 10
/** The demo's subscriber is retried within seconds. */
const PATIENCE_MS = 20_000

/** @throws CommandFailure if the callback is refused or is not delivered */
export async function tellStory (story: DemoStory): Promise<void> {
  const { gateway: { addresses, ingestPath }, audience, terminal: { out, paint }, packageDir, tokenFile } = story
  const endpoint = addresses.ingest + ingestPath
  const callbackFile = join(packageDir, 'config', 'demo-callback.json')
  const callback = readFileSync(callbackFile)
  out(`${paint.bold('The gateway is up.')} Callbacks arrive at ${endpoint}, operators at ${addresses.admin}.`)
  out('')
  out(`  ${paint.cyan('→')} Fotor's sample callback (${callback.length} bytes) is posted to ${endpoint}`)
  const postedAtMs = Date.now()
  const { status, eventId = '' } = await postCallback(endpoint, callback)
  out(`  ${paint.cyan('→')} answered 200: ${status} as ${eventId}, safe on disk`)

  const token = { value: readFileSync(tokenFile, 'utf8').trim(), source: tokenFile }
  const event = await untilDelivered(adminApi({ url: addresses.admin, token }), eventId)
  const deliveredAtMs = Math.max(...event.deliveries.map(({ deliveredAt }) => Date.parse(deliveredAt ?? '')))
  const same = audience.received.every(({ body }) => body.equals(callback))
  out(`  ${paint.green('✓')} delivered, ${Math.max(0, deliveredAtMs - postedAtMs)} ms after it was posted${same ? ', byte for byte' : ''}`)
  if (story.staysUp) inviteToTry(story, { endpoint, callbackFile, eventId })
}

async function untilDelivered (api: AdminApi, eventId: string): Promise<EventDetailAnswer> {
  const started = performance.now()
  for (;;) {
    const event = await api.get<EventDetailAnswer>(`/events/${eventId}`)
    if (event.deliveries.length > 0 && event.deliveries.every(({ state }) => state === 'delivered')) return event
    if (performance.now() - started > PATIENCE_MS) {
      const why = event.deliveries.map(({ subscriber, state, lastError }) => `${subscriber} is ${state}${lastError === null ? '' : ` (${lastError})`}`)
      throw new CommandFailure(`the callback was accepted but not delivered: ${why.join(', ') || 'it matched no subscriber'}`)
    }
    await wait(POLL_EVERY_MS)
  }
}

function inviteToTry (
  { gateway: { addresses }, terminal: { out, paint }, tokenFile }: DemoStory,
  { endpoint, callbackFile, eventId }: { endpoint: string, callbackFile: string, eventId: string }
): void {
  const place = `--url ${addresses.admin} --token-file ${tokenFile}`
  const tries: ReadonlyArray<[says: string, line: string]> = [
    ['Post the same callback again: answered 200 as a duplicate, delivered to nobody.',
      `curl -i ${endpoint} -H 'content-type: application/json' --data-binary @${shortPath(callbackFile)}`],
    ['Send one of your own, and see it arrive here.', `npx fotor-relay send --type avatar ${place}`],
    ['See all events and their deliveries.', `npx fotor-relay events ${place}`],
    ['See this event with all its attempts.', `npx fotor-relay show ${eventId} ${place}`],
    ['Deliver it again.', `npx fotor-relay replay --event-id ${eventId} ${place}`]
  ]
  out('')
  out(`${paint.bold('Try next')}, in another terminal:`)
  for (const [says, line] of tries) out(`\n  ${says}\n    ${paint.cyan(line)}`)
  out('')
  out(`Open ${addresses.admin}/api/openapi.json for the admin API, ${addresses.admin}/readyz for its health.`)
  out('Ctrl-C ends the demo and removes its data.')
}
