/**
 * Lines are written, wait or are dropped; whatever the system says, nobody who
 * writes one hears of it, and what is missing is counted.
 */
import t, { type Test } from '../support/tap.js'
import { LineWriter, type LineWriterOptions } from '../../src/telemetry/line-writer.js'
import { until } from '../support/until.js'

/** A stream that takes what the test lets it take. */
interface Stage {
  lines: LineWriter
  /** What was written. */
  text: () => string
  /** How often the system was asked. */
  asked: () => number
  /** What it says the next time: an error, or how many bytes it takes at most. */
  behave: (as: string | number) => void
}

function setStage (t: Test, more: Partial<LineWriterOptions> = {}): Stage {
  let written = Buffer.alloc(0)
  let asked = 0
  let now: string | number = Infinity
  const lines = new LineWriter({
    againMs: 1,
    write (bytes) {
      asked++
      if (typeof now === 'string') throw Object.assign(new Error(now), { code: now })
      const taken = Math.min(bytes.length, now)
      written = Buffer.concat([written, bytes.subarray(0, taken)])
      if (taken < bytes.length) now = 'EAGAIN'
      return taken
    },
    mended: ({ problem, dropped }) => `(${dropped} missing: ${problem})\n`,
    ...more
  })
  t.teardown(() => { now = Infinity })
  return { lines, text: () => written.toString(), asked: () => asked, behave (as) { now = as } }
}

t.test('a line is written at once, by one call', async t => {
  const { lines, text, asked } = setStage(t)
  lines.write('one\n')
  lines.write('zw\u00f6lf\n')
  t.equal(text(), 'one\nzw\u00f6lf\n')
  t.equal(asked(), 2)
  t.strictSame(lines.status(), { problem: null, dropped: 0 })
})

for (const code of ['ENOSPC', 'EIO', 'EPIPE', 'EBADF']) {
  t.test(`${code}: lines are dropped and counted, and once it is over a line says how many`, async t => {
    const { lines, text, behave } = setStage(t)
    lines.write('before\n')
    behave(code)
    for (let n = 0; n < 5; n++) lines.write(`lost ${n}\n`)
    t.strictSame(lines.status(), { problem: code, dropped: 5 })
    behave(Infinity)
    await until('it is told', () => text().includes('missing'))
    t.strictSame(lines.status(), { problem: null, dropped: 0 })
    lines.write('after\n')
    t.equal(text(), `before\n(5 missing: ${code})\nafter\n`)
  })
}

t.test('while it lasts the system is not asked for each line', async t => {
  const { lines, asked, behave } = setStage(t, { againMs: 60_000 })
  behave('ENOSPC')
  for (let n = 0; n < 1_000; n++) lines.write('lost\n')
  t.equal(asked(), 1)
  t.match(lines.status(), { dropped: 1_000 })
})

t.test('a reader that is behind gets every line, in order', async t => {
  const { lines, text, behave } = setStage(t)
  behave('EAGAIN')
  for (let n = 0; n < 100; n++) lines.write(`line ${n}\n`)
  t.equal(text(), '')
  t.strictSame(lines.status(), { problem: null, dropped: 0 }, 'that is no trouble yet')
  behave(Infinity)
  await until('it has all of them', () => text().endsWith('line 99\n'))
  t.equal(text(), Array.from({ length: 100 }, (_, n) => `line ${n}\n`).join(''))
})

t.test('a reader that has stopped makes no more wait than the limit; when it reads again, what is missing stands between the two', async t => {
  const { lines, text, behave } = setStage(t, { mostBytes: 30 })
  behave('EAGAIN')
  for (let n = 0; n < 10; n++) lines.write(`number ${n}\n`)
  t.strictSame(lines.status(), { problem: 'nobody reads it', dropped: 7 })
  behave(Infinity)
  await until('it is told', () => text().includes('missing'))
  lines.write('after\n')
  t.equal(text(), 'number 0\nnumber 1\nnumber 2\n(7 missing: nobody reads it)\nafter\n')
})

t.test('a line of which a part was taken is completed before the next', async t => {
  const { lines, text, behave } = setStage(t)
  behave(4)
  lines.write('a long one\n')
  lines.write('the next\n')
  t.equal(text(), 'a lo')
  behave(Infinity)
  await until('both are there', () => text().endsWith('the next\n'))
  t.equal(text(), 'a long one\nthe next\n')
})

t.test('a line whose rest the disk did not take is ended, and no other is joined to it', async t => {
  const { lines, text, behave } = setStage(t)
  behave(4)
  lines.write('a long one\n')
  behave('ENOSPC')
  await until('the disk is full', () => lines.status().problem === 'ENOSPC')
  behave(Infinity)
  await until('it is told', () => text().includes('missing'))
  t.equal(text(), 'a lo\n(1 missing: ENOSPC)\n')
})

t.test('what was missing is still known when the line that says so was not taken', async t => {
  const { lines, text, behave } = setStage(t)
  behave('ENOSPC')
  for (let n = 0; n < 3; n++) lines.write('lost\n')
  behave(3)
  await until('a part of it was taken', () => text() === '(3 ')
  behave('ENOSPC')
  lines.write('behind it\n')
  await until('the disk is full again', () => lines.status().problem === 'ENOSPC')
  behave(Infinity)
  await until('it is told', () => text().endsWith(')\n'))
  t.equal(text(), '(3 \n(4 missing: ENOSPC)\n')
})

t.test('at the end of the process a reader that is behind gets what waits, and one that has stopped holds nobody', async t => {
  const { lines, text, behave, asked } = setStage(t)
  behave('EAGAIN')
  lines.write('one\n')
  lines.end(0)
  t.equal(text(), '')
  const before = asked()
  behave('ENOSPC')
  lines.end(60_000)
  t.equal(asked(), before + 1, 'a full disk is asked once')
  behave(Infinity)
  const other = setStage(t)
  other.behave('EAGAIN')
  other.lines.write('one\n')
  other.behave(Infinity)
  other.lines.end(60_000)
  t.equal(other.text(), 'one\n')
})
