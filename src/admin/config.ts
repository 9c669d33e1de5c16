/**
 * The configuration: reloaded on every replica on request.
 */
import { Type } from 'typebox'
import { RelayError } from '../model/errors.js'
import type { AdminOptions } from './options.js'
import { API, type Route } from './route.js'

/** The route that reloads. */
export function configRoutes ({ reload }: AdminOptions): Route[] {
  const handle: Route['handle'] = async () => {
    const outcome = await reload()
    if (!('faults' in outcome)) return { changed: outcome.changed }
    const count = outcome.faults.length === 1 ? '1 fault' : `${outcome.faults.length} faults`
    throw new RelayError('CONFIG_INVALID', `The configuration has ${count}; the previous one stays in use.`, { faults: outcome.faults })
  }

  return [{
    method: 'POST',
    path: `${API}/config/reload`,
    does: 'Reads the configuration again, and applies all of it or nothing.',
    answers: { 200: { means: 'The configuration is in use', schema: Type.Object({ changed: Type.Array(Type.String({ description: 'a changed key' })) }) } },
    handle
  }]
}
