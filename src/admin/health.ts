/**
 * The probes of supervisors and load balancers: is the process alive, and would a
 * callback get a 200 now? Without a token, and small.
 */
import { Type } from 'typebox'
import type { AdminOptions } from './options.js'
import type { Route } from './route.js'
import { oneOf } from './shapes.js'

export const Readiness = Type.Object({
  status: oneOf(['ok', 'degraded', 'unavailable']),
  reasons: Type.Array(Type.String())
})

/** The two probe routes. `/healthz` depends on nothing, so it answers while the process lives. */
export function healthRoutes ({ health }: AdminOptions): Route[] {
  const ready: Route['handle'] = async (_request, reply) => {
    const { ready, status, reasons } = await health()
    return reply.code(ready ? 200 : 503).send({ status: ready ? status : 'unavailable', reasons })
  }

  return [
    {
      method: 'GET',
      path: '/healthz',
      does: 'Answers while the process lives.',
      open: true,
      answers: { 200: { means: 'The process is alive', schema: Type.Object({ status: oneOf(['ok']) }) } },
      handle: async () => ({ status: 'ok' })
    },
    {
      method: 'GET',
      path: '/readyz',
      does: 'Says whether a callback would get a 200 now.',
      open: true,
      answers: {
        200: { means: 'A callback would get a 200', schema: Readiness },
        503: { means: 'A callback would not get a 200', schema: Readiness }
      },
      handle: ready
    }
  ]
}
