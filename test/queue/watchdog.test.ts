/** Who is replaced, and when nobody is. */
import t from '../support/tap.js'
import { startWatchdog } from '../../src/queue/watchdog.js'
import { until } from '../support/until.js'

t.test('who is stuck at two looks is replaced; who moves in between is not', async t => {
  const replaced: string[] = []
  let looks = 0
  const watchdog = startWatchdog({
    stuck: () => replaced.length === 0 ? (++looks <= 2 ? ['slow', 'stuck'] : ['stuck']) : [],
    askRedis: async () => {},
    replace: name => { replaced.push(name) },
    tickEveryMs: 5
  })
  t.teardown(watchdog.stop)
  await until('one is replaced', () => replaced.length > 0)
  t.strictSame(replaced, ['stuck'])
})

for (const [says, askRedis] of [
  ['refuses', async () => { throw new Error('Connection is closed.') }],
  ['does not answer', async () => { await new Promise(() => {}) }]
] as const) {
  t.test(`while Redis ${says} nobody is replaced`, async t => {
    let asked = 0
    let isBack = false
    const replaced: string[] = []
    const watchdog = startWatchdog({
      stuck: () => ['a'],
      async askRedis () {
        asked++
        if (!isBack) await askRedis()
      },
      replace: name => { replaced.push(name) },
      tickEveryMs: 5
    })
    t.teardown(watchdog.stop)
    await until('it is asked again and again', () => asked >= 3)
    t.strictSame(replaced, [])
    isBack = true
    await until('it is replaced then', () => replaced.length > 0)
  })
}
