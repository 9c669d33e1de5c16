/**
 * The keys that a running gateway cannot change, as the schema marks them.
 */
import { relaySchema } from './schema.js'
import { shapeOf, type Shape } from './shape.js'
import type { Path } from './written.js'

const MARKED = markedIn(shapeOf(relaySchema), [])

/**
 * @param change  in the form of `changesBetween`
 * @returns       the path of the key that prevents the change, if one does
 */
export function needsRestart (change: string): Path | undefined {
  const [path = '', how] = change.split(' ')
  const steps = path.split('.')
  const isUnder = (marked: Path): boolean => marked.every((step, at) => steps[at] === step)
  const marked = MARKED.find(({ path, when }) => isUnder(path) && (when === 'any change' || (how !== undefined && path.length === steps.length)))
  return marked === undefined ? undefined : marked.when === 'any change' ? steps : marked.path
}

function markedIn ({ restart, properties = {} }: Shape, path: Path): Array<{ path: Path, when: NonNullable<Shape['restart']> }> {
  const inner = Object.entries(properties).flatMap(([key, shape]) => markedIn(shape, [...path, key]))
  return restart === undefined ? inner : [{ path, when: restart }, ...inner]
}
