/**
 * Every request that the gateway makes to a subscriber goes through here.
 *
 * Promises one POST with the given bytes and headers, an answer or a failure
 * within the subscriber's timeout, connections kept between requests, and
 * that nothing it returns holds a secret. Does not judge an answer, does not
 * try again, follows no redirect.
 */
import { createAgents, type Destination } from './agents.js'
import { exchange, type Answer, type RunningRequest } from './exchange.js'
import type { Question } from './lookup.js'

export type { Answer, Destination }

export interface OutboundRequest {
  /** Who is asked: a subscriber of the running configuration. */
  to: Destination
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>
  /** Sent byte for byte. */
  body: Buffer
  /** Ends the request with the failure `aborted`. */
  signal?: AbortSignal
  /** Texts to mask should the answer echo them; those of the URL are known here. */
  secrets?: readonly string[]
}

/** Sends one POST. Rejects only with RelayError CONFIG_INVALID, when the URL is not one. */
export type Request = (request: OutboundRequest) => Promise<Answer>

export interface Outbound {
  request: Request
  /** After a reload: closes the connections of subscribers that are gone or have changed, once they are idle. */
  keepOnly (destinations: readonly Destination[]): void
  /** Ends what is under way as `aborted` and closes every connection. Later requests are `aborted` at once. */
  close (): void
}

/**
 * Makes the one way out. Opens nothing until the first request.
 *
 * @param question  asked for the addresses of a name; the system's resolver unless a test says otherwise
 */
export function createOutbound (question?: Question): Outbound {
  const agents = createAgents(question)
  const underWay = new Set<RunningRequest>()
  let closed = false

  async function request ({ to, headers, body, signal, secrets = [] }: OutboundRequest): Promise<Answer> {
    if (closed || signal?.aborted === true) return { failure: 'aborted', error: 'cut off', latencyMs: 0 }

    const { target, pool } = agents.agentOf(to)
    const running = exchange(pool, {
      path: target.path,
      headers: target.authorization === null ? headers : { authorization: target.authorization, ...headers },
      body,
      timeoutMs: to.timeoutMs,
      signal,
      secrets: [...target.secrets, ...secrets]
    })
    underWay.add(running)
    const answer = await running.answer
    underWay.delete(running)
    return answer
  }

  return {
    request,
    keepOnly: agents.keepOnly,
    close () {
      closed = true
      for (const running of underWay) running.abort()
      agents.keepOnly([])
    }
  }
}
