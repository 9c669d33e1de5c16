/**
 * Every request of the gateway to a subscriber goes through here.
 *
 * Promises one POST with the given bytes and headers, an answer or a failure
 * within the subscriber's timeout, connections that are kept between requests,
 * and a result without secrets. Does not judge an answer, does not retry, follows
 * no redirect.
 */
import { createAgents } from './agents.js'
import { exchange, type Answer, type RunningRequest } from './exchange.js'
import type { Question } from './lookup.js'
import type { Destination } from './pool.js'

export type { Answer, Destination }

export interface OutboundRequest {
  /** The destination: a subscriber of the running configuration. */
  to: Destination
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>
  /** Sent byte for byte. */
  body: Buffer
  /** Aborts the request with the failure `aborted`. */
  signal?: AbortSignal
  /** Texts to mask if the answer contains them; the secrets of the URL are added. */
  secrets?: readonly string[]
}

/** Sends one POST. Rejects only with RelayError CONFIG_INVALID, if the URL is invalid. */
export type Request = (request: OutboundRequest) => Promise<Answer>

export interface Outbound {
  request: Request
  /** After a reload: closes the connections of subscribers that are gone or have changed, once they are idle. */
  keepOnly (destinations: readonly Destination[]): void
  /** Ends requests in flight as `aborted` and closes every connection. Later requests are `aborted` at once. */
  close (): void
}

/**
 * Makes the client. Connects only with the first request.
 *
 * @param question  the resolver of host names; the system's unless a test replaces it
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
