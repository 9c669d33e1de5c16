/**
 * Which tests there are, how long they may take, and which of them share a
 * process. A test's folder says its tier:
 *
 *   test/journey/     whole gateways: minutes
 *   test/endurance/   outages of minutes, thousands of deliveries, chaos: what CI and a release are for
 *   everything else   short: what a change is made with
 */
import { readdirSync } from 'node:fs'

export const TIERS = ['short', 'journey', 'endurance'] as const
export type Tier = typeof TIERS[number]

export interface Suite {
  tier: Tier
  /** What it is called in the report: a folder, a part of one, or a file. */
  name: string
  /** `test/record/sweep.test.ts`. */
  files: string[]
  /** It measures: nothing else may run meanwhile. */
  isAlone: boolean
}

/** A test is hung when it takes longer, milliseconds. No promise is timed by this. */
const HARD_LIMIT_MS: Record<Tier, number> = { short: 60_000, journey: 180_000, endurance: 600_000 }

/** More in one process would let one folder hold up all others. */
const MOST_JOURNEYS_A_SUITE = 4

/** What compares times has the machine to itself. */
const ALONE = ['test/endurance/bench-smoke.test.ts']

export function tierOf (file: string): Tier {
  const folder = folderOf(file)
  return folder === 'journey' || folder === 'endurance' ? folder : 'short'
}

export function hardLimitOf (file: string): number {
  return HARD_LIMIT_MS[tierOf(file)]
}

/** Every test file, relative to the project's root, in order. */
export function testFiles (): string[] {
  return readdirSync('test', { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.test.ts'))
    .map(file => `test/${file}`)
    .sort()
}

/** The suites of these files: a folder each; journeys some at a time; what endures, one by one, and last what must be alone. */
export function suitesOf (files: readonly string[]): Suite[] {
  const folders = [...new Set(files.map(folderOf))]
  const suites = folders.flatMap(folder => {
    const inIt = files.filter(file => folderOf(file) === folder)
    const tier = tierOf(inIt[0]!)
    const most = { short: inIt.length, journey: MOST_JOURNEYS_A_SUITE, endurance: 1 }[tier]
    return chunksOf(inIt, most).map((files, at): Suite => {
      const name = tier === 'short' ? folder : tier === 'journey' ? `${folder} ${at + 1}` : nameOf(files[0]!)
      return { tier, name, files, isAlone: ALONE.includes(files[0]!) }
    })
  })
  return suites.sort((a, b) => TIERS.indexOf(a.tier) - TIERS.indexOf(b.tier) || Number(a.isAlone) - Number(b.isAlone))
}

/** The first below `test/`. */
function folderOf (file: string): string {
  return file.split('/')[1]!
}

function nameOf (file: string): string {
  return file.replace(/^test\//, '').replace(/\.test\.ts$/, '')
}

function chunksOf<T> (items: T[], most: number): T[][] {
  const count = Math.ceil(items.length / most)
  const size = Math.ceil(items.length / count)
  return Array.from({ length: count }, (_, at) => items.slice(at * size, (at + 1) * size))
}
