/**
 * Whether what was taken up was given back, and whether it stopped growing in
 * between. Pure.
 */
import type { Sample } from './sample.js'

export interface Soaked {
  /** At rest, after a first load. */
  before: Sample
  /** Under load, at even distances, oldest first. */
  during: Sample[]
  /** At rest, when everything has been delivered and deleted. */
  after: Sample
}

/** What may be held more than before. */
const SLACK: Record<keyof Omit<Sample, 'at'>, { share: number, more: number }> = {
  rss: { share: 0.25, more: 16 * 1024 * 1024 },
  descriptors: { share: 0, more: 8 },
  timers: { share: 0, more: 4 },
  redisMemory: { share: 0.1, more: 4 * 1024 * 1024 },
  keys: { share: 0, more: 4 },
  events: { share: 0, more: 0 }
}
/** From the second third of a soak to its last, a plateau rises by no more than this. */
const PLATEAU_SHARE = 0.15

/** @returns what is wrong, in sentences; none when nothing is */
export function judgeSoak ({ before, during, after }: Soaked): string[] {
  const names = Object.keys(SLACK) as Array<keyof typeof SLACK>
  const kept = names.filter(name => after[name] > before[name] * (1 + SLACK[name].share) + SLACK[name].more)
    .map(name => `${name} did not return: ${before[name]} before, ${after[name]} after`)
  const third = Math.floor(during.length / 3)
  const grown = names.flatMap(name => {
    const [middle, last] = [during.slice(third, 2 * third), during.slice(2 * third)].map(samples => mean(samples.map(sample => sample[name]))) as [number, number]
    return last > middle * (1 + PLATEAU_SHARE) + SLACK[name].more ? [`${name} went on growing under load: ${Math.round(middle)} in the second third, ${Math.round(last)} in the last`] : []
  })
  return [...kept, ...grown]
}

function mean (values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length
}
