/**
 * The hint for a key that the schema does not know: the key that was probably
 * meant, the block where it belongs, or the allowed keys.
 */
import { closest } from '../model/closest.js'
import { formatPath, type Path } from './written.js'
import type { PlacedRefusal } from './fault.js'
import type { Shape } from './shape.js'

/**
 * @param path  of the key, itself last
 * @param here  the block that contains it
 * @param top   the whole schema
 */
export function unknownKey (path: Path, here: Shape, top: Shape): PlacedRefusal {
  return { path, problem: 'is not a known key', hint: hintFor(String(path.at(-1)), here, top), at: { path, on: 'key' } }
}

function hintFor (key: string, here: Shape, top: Shape): string {
  if (key === '<<') return 'merge keys are not read; put defaults for all subscribers under delivery'
  const known = Object.keys(here.properties ?? {})
  const meant = closest(key, known)
  if (meant !== undefined) return `did you mean ${meant}?`
  const homes = homesOf(key, top)
  if (homes.length > 0) return `it belongs at ${homes.join(' or ')}`
  return `known here: ${known.join(', ')}`
}

function homesOf (key: string, shape: Shape, path: Path = []): string[] {
  if (shape.anyOf !== undefined) return shape.anyOf.flatMap(option => homesOf(key, option, path))
  if (shape.items !== undefined) return homesOf(key, shape.items, [...path.slice(0, -1), `${String(path.at(-1))}[]`])
  return Object.entries(shape.properties ?? {}).flatMap(([name, inner]) => {
    const at = [...path, name]
    return name === key ? [formatPath(at)] : homesOf(key, inner, at)
  })
}
