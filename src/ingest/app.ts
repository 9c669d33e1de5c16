/**
 * Step 1 of the journey: the public endpoint, our only part that the Internet
 * can reach.
 *
 *   address ──▶ path ──▶ method ──▶ rate ──▶ size ──▶ content ──▶ durability
 *
 * The checks are registered in this order for security: a stranger learns
 * nothing but 403. Promises that 200 is sent only for a callback that `accept`
 * made durable, that our own faults are 503 and never 4xx, and that no path,
 * query or body is logged. Does not listen itself, and does not interpret the
 * body of a caller that passed the checks.
 */
import Fastify, { type FastifyInstance } from 'fastify'
import { callOf } from './call.js'
import { Checks } from './checks.js'
import { createListener, endUnparsable, LISTENER_LIMITS } from './listener.js'
import type { IngestOptions } from './options.js'
import { compilePolicy, type IngestPolicy } from './policy.js'
import { addRateLimit } from './rate-limit.js'
import { isIn, parseAddress } from './source-address.js'
import { watchStandstill } from './standstill.js'

/**
 * Makes the public endpoint.
 *
 * @returns a Fastify app that does not listen yet; closing it waits for the
 *          requests in flight
 */
export function ingestApp (options: IngestOptions): FastifyInstance {
  const checks = new Checks(options)
  const limits = { ...LISTENER_LIMITS, ...options.limits }
  const standstill = watchStandstill()
  const ending = { stoodStill: () => standstill.within(limits.requestTimeoutMs), onUnparsable: checks.reportUnparsable }
  const app = Fastify({
    logger: false,
    return503OnClosing: false, // a stop is no reason to refuse a callback
    rewriteUrl: () => '/', // the router sees no path, so it normalises none; `checkPath` compares the raw path
    serverFactory: handler => createListener(handler, {
      limits,
      tls: options.tls ?? null,
      isExpected: address => isExpected(address, options.policy())
    }),
    clientErrorHandler: (error, socket) => { endUnparsable(error, socket, ending) }
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', checks.readBody)
  app.setErrorHandler(checks.fail)

  const rate = addRateLimit(app, request => {
    const { policy, source } = callOf(request)
    return { source: source.text, ...policy.rateLimit }
  }, options.rateLimitRedis)

  app.addHook('onClose', async () => { standstill.stop() })
  app.addHook('onRequest', checks.begin)
  app.addHook('onRequest', checks.checkAddress)
  app.addHook('onRequest', checks.checkPath)
  app.addHook('onRequest', checks.checkMethod)
  app.addHook('onRequest', checks.checkRate(rate))
  app.post('/', checks.handle)
  app.setNotFoundHandler(checks.handle) // for methods that the router does not know; `checkMethod` has answered them
  return app
}

/** With a policy that cannot be read, every caller is a stranger; the requests report why. */
function isExpected (remoteAddress: string | undefined, policy: IngestPolicy): boolean {
  const address = parseAddress(remoteAddress ?? '')
  try {
    const { allowed, trusted } = compilePolicy(policy)
    return isIn(allowed, address) || isIn(trusted, address)
  } catch {
    return false
  }
}
