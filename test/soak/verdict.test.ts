/** A soak says what was not given back, and what went on growing. */
import t from '../support/tap.js'
import { readOptions } from '../../soak/options.js'
import type { Sample } from '../../soak/sample.js'
import { judgeSoak } from '../../soak/verdict.js'

const MB = 1024 * 1024
const REST: Sample = { at: 0, rss: 120 * MB, descriptors: 30, timers: 8, redisMemory: 8 * MB, keys: 40, events: 0 }
const BUSY: Sample = { ...REST, rss: 180 * MB, descriptors: 90, redisMemory: 200 * MB, keys: 300_000, events: 60_000 }
const steady = Array.from({ length: 30 }, () => BUSY)

t.test('what is given back, and a plateau, are fine', async t => {
  t.strictSame(judgeSoak({ before: REST, during: steady, after: { ...REST, rss: 140 * MB } }), [])
})

const HELD: ReadonlyArray<[name: keyof Sample, value: number]> = [
  ['rss', 190 * MB], ['descriptors', 45], ['timers', 20], ['redisMemory', 20 * MB], ['keys', 60], ['events', 1]
]
for (const [name, value] of HELD) {
  t.test(`${name} that do not return are told`, async t => {
    t.match(judgeSoak({ before: REST, during: steady, after: { ...REST, [name]: value } }), [new RegExp(`^${name} did not return`)])
  })
  t.test(`${name} that go on growing are told`, async t => {
    const growing = steady.map((sample, at) => ({ ...sample, [name]: sample[name] + at * Math.max(sample[name], 10 * value) / 20 }))
    t.match(judgeSoak({ before: REST, during: growing, after: REST }), [new RegExp(`^${name} went on growing under load`)])
  })
}

for (const args of [['--minutes', '3'], ['--minutes', 'x'], ['--per-second', '1.5'], ['--nonsense']]) {
  t.test(`${args.join(' ')} is refused`, async t => { t.throws(() => readOptions(args)) })
}
