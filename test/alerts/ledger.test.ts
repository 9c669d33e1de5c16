/** What a receiver is told as time goes by, one story a line. */
import t from '../support/tap.js'
import { dueTo, forget, observe, tell } from '../../src/alerts/ledger.js'
import type { Alert } from '../../src/model/alert.js'
import { alertOf, conditionOf } from './alert.js'

const TIMES = { afterMs: 60, repeatMs: 1_000 }

/** Looks every 20 ms for as long as the story goes; `+` is a look at which the condition is true. */
function tellStory (story: string, takes: (at: number) => boolean = () => true): { notices: string[], left: Alert[] } {
  let alerts: Alert[] = []
  const notices: string[] = []
  for (const [look, sign] of [...story].entries()) {
    const now = look * 20
    alerts = observe(alerts, sign === '+' ? [conditionOf('spool-waiting')] : [], now)
    for (const due of dueTo('on-call', alerts, { now, ...TIMES })) {
      if (!takes(now)) break
      notices.push(`${now} ${due.notice}`)
      alerts = tell(alerts, due, { receiver: 'on-call', at: now })
    }
    alerts = forget(alerts, ['on-call'], { now, ...TIMES })
  }
  return { notices, left: alerts }
}

const STORIES: ReadonlyArray<[says: string, story: string, notices: string[]]> = [
  ['what lasts is told once', '++++++++', ['60 raised']],
  ['what is over before it was told is told to nobody', '+++-----', []],
  ['what is over is told to be over, once it has been over for as long', '++++-------', ['60 raised', '140 resolved']],
  ['what comes back soon is the same alert', '++++--++++--++++', ['60 raised']],
  ['what flickers for long enough is told', '+-+-+-', ['80 raised']],
  ['what comes back later is told again', '++++----++++', ['60 raised', '140 resolved', '220 raised']],
  ['what lasts for long is told again', '+'.repeat(110), ['60 raised', '1060 reminder', '2060 reminder']],
  ['nothing is nothing', '-----', []]
]
for (const [says, story, notices] of STORIES) {
  t.test(says, async t => { t.strictSame(tellStory(story).notices, notices) })
}

t.test('what is over and told is forgotten', async t => {
  t.strictSame(tellStory('++++-------').left, [])
  t.strictSame(tellStory('++------').left, [])
})

t.test('a receiver that takes nothing is told when it does, and that it is over', async t => {
  t.strictSame(tellStory('++++++++-------', now => now >= 120).notices, ['120 raised', '220 resolved'])
  t.strictSame(tellStory('++++-----------', now => now < 80 || now >= 200).notices, ['60 raised', '200 resolved'])
  t.strictSame(tellStory('++++-----------', now => now >= 200).notices, [], 'but never that something is over of which it never heard')
})

t.test('each receiver is told for itself', async t => {
  const alerts = [alertOf('memory-short', { told: { 'on-call': { notice: 'raised', at: 100 } } })]
  const moment = { now: 200, ...TIMES }
  t.strictSame(dueTo('on-call', alerts, moment), [])
  t.match(dueTo('chat', alerts, moment), [{ notice: 'raised', alert: { name: 'memory-short' } }])
})

t.test('one that is in the configuration no more is waited for no more', async t => {
  const alerts = [alertOf('memory-short', { endedAt: 100, told: { gone: { notice: 'raised', at: 50 } } })]
  t.strictSame(forget(alerts, ['on-call'], { now: 1_000, ...TIMES }), [])
  t.strictSame(forget(alerts, ['gone'], { now: 1_000, ...TIMES }), alerts)
})

t.test('the same of two subscribers are two alerts, told in the order in which they began', async t => {
  const [one, two] = ['one', 'two'].map(subscriber => conditionOf('subscriber-failing', { subscriber }))
  const alerts = observe(observe([], [two!], 0), [one!, two!], 10)
  t.strictSame(dueTo('on-call', alerts, { now: 1_000, ...TIMES }).map(({ alert }) => alert.subscriber), ['two', 'one'])
})

t.test('a clock that is set back makes nobody wait for the future', async t => {
  const [alert] = observe([alertOf('memory-short', { since: 10_000, told: { 'on-call': { notice: 'raised', at: 10_060 } } })], [], 500)
  t.match(alert, { endedAt: 500 })
  t.match(dueTo('on-call', observe([{ ...alert!, endedAt: 9_000 }], [], 500), { now: 560, ...TIMES }), [{ notice: 'resolved' }])
  t.match(dueTo('on-call', observe([alertOf('memory-short', { since: 10_000 })], [conditionOf('memory-short')], 500), { now: 560, ...TIMES }), [{ notice: 'raised' }])
})

t.test('the sentence and its numbers are those of now', async t => {
  const [alert] = observe([alertOf('spool-waiting', { summary: 'then', since: 5 })], [conditionOf('spool-waiting', { summary: 'now', figures: { callbacks: 3 } })], 50)
  t.match(alert, { summary: 'now', figures: { callbacks: 3 }, since: 5 })
})
