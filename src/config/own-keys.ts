/**
 * The keys in which replicas may differ, as the schema marks them. All others
 * should be equal, because they decide what happens to a callback on any
 * replica.
 */
import { relaySchema } from './schema.js'
import { shapeOf, type Shape } from './shape.js'

/** Paths in the YAML, such as `ingest.listen`; a block includes everything in it. */
export const OWN_KEYS: ReadonlySet<string> = new Set(ownIn(shapeOf(relaySchema), []))

function ownIn ({ own, properties = {} }: Shape, path: readonly string[]): string[] {
  if (own === true) return [path.join('.')]
  return Object.entries(properties).flatMap(([key, shape]) => ownIn(shape, [...path, key]))
}
