/** What a path that is not the one served looks like. */
import t from '../support/tap.js'
import { hintOfPath } from '../../src/ingest/path.js'
import type { Hint } from '../../src/model/fact.js'

const TABLE: ReadonlyArray<[path: string, served: string, hint: Hint | undefined]> = [
  ['//webhooks/fotor', '/webhooks/fotor', 'slashes'],
  ['/webhooks//fotor//', '/webhooks/fotor', 'slashes'],
  ['/Webhooks/fotor', '/webhooks/fotor', 'spelling'],
  ['/webhooks/%66otor', '/webhooks/fotor', 'spelling'],
  ['/webhooks%2ffotor/', '/webhooks/fotor', 'spelling'],
  ['/webhooks/fotor/last-month', '/webhooks/fotor/this-month', 'segment'],
  ['/webhooks/fotor', '/webhooks/fotor/this-month', 'segment'],
  ['/webhooks/fotor/last-month', '/webhooks/fotor', 'segment'],
  ['/webhooks/%', '/webhooks/fotor', 'segment'],
  ['/', '/webhooks/fotor', undefined],
  ['/.env', '/webhooks/fotor', undefined],
  ['/x', '/secret', undefined],
  ['*', '/webhooks/fotor', undefined]
]
for (const [path, served, hint] of TABLE) {
  t.test(`${path} instead of ${served}: ${hint ?? 'nothing known'}`, async t => {
    t.equal(hintOfPath(path, served), hint)
  })
}
