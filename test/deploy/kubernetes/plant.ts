/**
 * One fault, planted in manifests that have none: what keeps a check that
 * never fails from passing for one that holds.
 */
import { idOf, type Manifest } from './manifests.js'

/** What is wrong, in which manifest, at which path, what stands there (nothing when undefined), and what must be told. */
export type Plant = [fault: string, id: string, path: string, value: unknown, told: RegExp]

/** A copy of the manifests with the fault; throws when there is no such manifest or nothing changes. */
export function planted (manifests: readonly Manifest[], [fault, id, path, value]: Plant): Manifest[] {
  const copy = structuredClone([...manifests])
  const manifest = copy.find(one => idOf(one) === id)
  if (manifest === undefined) throw new Error(`there is no ${id} to plant in: ${fault}`)
  const steps = path.split('.')
  const last = steps.pop()!
  let place = manifest as unknown as Record<string, unknown>
  for (const step of steps) place = (place[step] ??= {}) as Record<string, unknown>
  if (place[last] === value) throw new Error(`${id} has that already: ${fault}`)
  if (value === undefined) delete place[last]
  else place[last] = value
  return copy
}
