/**
 * The configuration: reloaded on every replica on request.
 */
import { Type, type Static } from 'typebox'
import { RelayError } from '../model/errors.js'
import type { AdminOptions } from './options.js'
import { API, type Route } from './route.js'

const reloadBody = Type.Object({
  allowRemovals: Type.Optional(Type.Boolean({ description: 'true or false: whether subscribers may go for which deliveries wait (false when left out)' }))
})

/** The route that reloads. */
export function configRoutes ({ reload }: AdminOptions): Route[] {
  const handle: Route['handle'] = async request => {
    const outcome = await reload(request.body as Static<typeof reloadBody>)
    if (!('faults' in outcome)) return { changed: outcome.changed }
    const count = outcome.faults.length === 1 ? '1 fault' : `${outcome.faults.length} faults`
    throw new RelayError('CONFIG_INVALID', `The configuration has ${count}; the previous one stays in use.`, { faults: outcome.faults })
  }

  return [{
    method: 'POST',
    path: `${API}/config/reload`,
    does: 'Reads the configuration again and swaps it as a whole, or not at all.',
    body: reloadBody,
    answers: { 200: { means: 'It runs', schema: Type.Object({ changed: Type.Array(Type.String({ description: 'a key' })) }) } },
    handle
  }]
}
