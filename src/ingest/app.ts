/**
 * Step 1 of the journey: the public endpoint. The one thing of ours that the
 * Internet can reach.
 *
 *   address ──▶ headers ──▶ path ──▶ method ──▶ rate ──▶ size ──▶ content ──▶ durability
 *
 * The checks are registered in that order, because it is the order of security:
 * a stranger learns nothing but 403, also when it sends what is no HTTP. The
 * framework decides nothing before them. Promises that 200 is sent only for what
 * `accept` made durable, that our own faults are 503 and never 4xx, and that
 * no path, query or body is logged. Never listens by itself, and never looks
 * into the body of a caller it lets in.
 */
import Fastify, { type FastifyInstance } from 'fastify'
import { callOf, showToRouter } from './call.js'
import { Checks } from './checks.js'
import { createListener, LISTENER_LIMITS } from './listener.js'
import type { IngestOptions } from './options.js'
import { peerOf } from './policy.js'
import { addRateLimit } from './rate-limit.js'
import { watchStandstill } from './standstill.js'
import { watchUnanswered } from './unanswered.js'
import { endUnparsable } from './unparsable.js'

/**
 * Makes the public endpoint.
 *
 * @returns a Fastify app that does not listen yet; closing it waits for the
 *          requests under way
 */
export function ingestApp (options: IngestOptions): FastifyInstance {
  const checks = new Checks(options)
  const limits = { ...LISTENER_LIMITS, ...options.limits }
  const standstill = watchStandstill()
  const unanswered = watchUnanswered()
  const ending = { unanswered, stoodStill: () => standstill.within(limits.requestTimeoutMs), judge: checks.judgeUnparsable }
  const app = Fastify({
    logger: false,
    return503OnClosing: false, // to stop is no reason to refuse a callback
    rewriteUrl: showToRouter,
    serverFactory: handler => createListener(handler, {
      limits,
      unanswered,
      tls: options.tls ?? null,
      isExpected: address => peerOf(address, options.policy) === 'expected'
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
  app.addHook('onRequest', checks.checkHeaders)
  app.addHook('onRequest', checks.checkPath)
  app.addHook('onRequest', checks.checkMethod)
  app.addHook('onRequest', checks.checkRate(rate))
  app.post('/', checks.handle)
  return app
}
