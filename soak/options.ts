/**
 * The command line of the soak.
 */
import { parseArgs } from 'node:util'

export const USAGE = `npm run soak -- [options]

A gateway, three subscribers, and a steady load for a long time, with a retention of one minute. Ends with 1 when memory,
descriptors, timers or keys do not return to where they were, or go on growing under load.

  --minutes M      how long, from 4 to 10080 (default: 15); a level is reached after one
  --per-second N   callbacks per second, about half of what this machine can do (default: 500)
  --out FILE       where the samples go as JSON (default: data/soak/<time>.json)
`

export interface SoakOptions { minutes: number, perSecond: number, out: string | null, help: boolean }

/** @throws with a sentence for the person who typed it */
export function readOptions (args: string[]): SoakOptions {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '15' },
      'per-second': { type: 'string', default: '500' },
      out: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false }
    }
  })
  return {
    minutes: numberIn(values.minutes, { name: '--minutes', least: 4, most: 10_080 }),
    perSecond: numberIn(values['per-second'], { name: '--per-second', least: 1, most: 100_000 }),
    out: values.out ?? null,
    help: values.help
  }
}

function numberIn (text: string, { name, least, most }: { name: string, least: number, most: number }): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least || value > most) throw new Error(`${name} takes a whole number from ${least} to ${most}`)
  return value
}
