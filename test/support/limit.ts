/** How long whatever runs here may take before it counts as hung; a guard, by which nothing is timed. */

/** Of what has no test around it, a run of chaos for one; milliseconds. */
let limitMs = 600_000

export function hardLimitMs (): number {
  return limitMs
}

/** Set for each test file, by its tier. */
export function setHardLimit (ms: number): void {
  limitMs = ms
}
