import t from '../support/tap.js'
import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { paintFor } from '../../src/cli/colour.js'
import { cutTo, plainLines, plainText, widthOf } from '../../src/cli/plain-text.js'
import { progressOn } from '../../src/cli/progress.js'
import { formatTable, type Column } from '../../src/cli/table.js'
import { terminalOn } from '../../src/cli/terminal.js'
import { ago, exactTime, shortly } from '../../src/cli/times.js'
import { until } from '../support/until.js'

interface Row { id: string, task: string, count: number, flags: string }

const COLUMNS: Array<Column<Row>> = [
  { title: 'id', text: ({ id }) => id },
  { title: 'task', text: ({ task }) => task, least: 6 },
  { title: 'count', text: ({ count }) => String(count), align: 'right' },
  { title: 'flags', text: ({ flags }) => flags, least: 5 }
]
const ROW: Row = { id: 'evt_1', task: 'a-rather-long-task-id', count: 7, flags: '' }

const on = (columns: number) => ({ columns, heading: (text: string) => text })

t.test('off a terminal nothing is cut, and columns line up', async t => {
  t.strictSame(formatTable([ROW, { ...ROW, id: 'evt_22', count: 12 }], COLUMNS, on(Infinity)), [
    'id      task                   count',
    'evt_1   a-rather-long-task-id      7',
    'evt_22  a-rather-long-task-id     12'
  ])
})

t.test('a column that is empty in every row is left out, and is there when one row has something', async t => {
  t.notMatch(formatTable([ROW], COLUMNS, on(Infinity))[0], /flags/)
  t.match(formatTable([ROW, { ...ROW, flags: 'late' }], COLUMNS, on(Infinity))[0], /flags/)
})

t.test('what may shrink is cut until the table fits; an id never is', async t => {
  t.strictSame(formatTable([ROW], COLUMNS, on(24)), [
    'id     task        count',
    'evt_1  a-rather-…      7'
  ])
})

t.test('when even that is too wide, each row is a block of its own', async t => {
  t.strictSame(formatTable([ROW, { ...ROW, id: 'evt_2' }], COLUMNS, on(15)), [
    'id     evt_1', 'task   a-rather-long-task-id', 'count  7',
    '',
    'id     evt_2', 'task   a-rather-long-task-id', 'count  7'
  ])
})

t.test('no line is wider than the terminal when all columns may shrink that far', async t => {
  t.doesNotThrow(() => {
    fc.assert(fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 5 }), fc.integer({ min: 27, max: 90 }), (texts, columns) => {
      const rows = texts.map((task, at): Row => ({ id: `evt_${at}`, task, count: at, flags: task }))
      for (const line of formatTable(rows, COLUMNS, on(columns))) if (widthOf(line) > columns) return false
      return true
    }))
  })
})

t.test('nothing that moves the cursor or hides text reaches the terminal', async t => {
  t.equal(plainText('a\u001b[2Jb\r\nc\u009b1m\u202Ed'), 'a·[2Jb c·1m\\u202ed')
  for (const character of ['\u200b', '\u200f', '\u061c', '\ufeff', '\u2028', '\u2066', '\u3164', '\u{e0041}']) {
    t.match(plainText(`a${character}b`), /^a(\\u[0-9a-f]{4})+b$/, 'texts that differ look different')
  }
  const rows = [{ ...ROW, task: '\u001b]0;owned\u0007' }]
  t.notMatch(formatTable(rows, COLUMNS, on(80)).join(''), /\p{Cc}/u)
})

t.test('text of several lines keeps them, and our colours where there are any', async t => {
  const red = paintFor(true, {}).red('x')
  t.equal(plainLines(`a\n\tb\rc${red}\u001b[2J\u202e`, true), `a\n\tb·c${red}·[2J\\u202e`)
  t.equal(plainLines(red, false), '·x·')
})

t.test('whatever is written to a terminal is cleaned there', async t => {
  const bad = 'a\u001b[2Jb\u009bc\u202ed\u0007'
  const [out, err]: [string[], string[]] = [[], []]
  const streamTo = (written: string[]) => Object.assign(new PassThrough(), { isTTY: true, columns: 80 }).on('data', (chunk: Buffer) => { written.push(chunk.toString()) })
  const terminal = terminalOn({ stdin: Object.assign(new PassThrough(), { isTTY: true }), stdout: streamTo(out), stderr: streamTo(err) }, {})
  terminal.out(bad)
  terminal.error(bad)
  terminal.out(terminal.paint.red(bad))
  await terminal.write(bad)
  terminal.json({ bad })
  await until('all of it is there', () => out.length === 4 && err.length === 1)
  const clean = 'a·[2Jb·c\\u202ed·'
  t.strictSame([...err, ...out.slice(0, 3)], [`${clean}\n`, `${clean}\n`, `\u001b[31m${clean}\u001b[39m\n`, clean])
  t.notMatch(out[3], /[\u0007\u001b\u009b\u202e]/)
  t.strictSame(JSON.parse(out[3]!), { bad })
})

t.test('wide characters take two columns, marks none', async t => {
  t.equal(widthOf('日本'), 4)
  t.equal(widthOf('e\u0301'), 1)
  t.equal(cutTo('日本語', 5), '日本…')
  t.equal(cutTo('abc', 3), 'abc')
})

t.test('colour is for terminals, and only when nobody said no', async t => {
  t.match(paintFor(true, {}).red('x'), '\u001b[31mx\u001b[39m')
  for (const [isTerminal, env] of [[false, {}], [true, { NO_COLOR: '1' }], [true, { TERM: 'dumb' }]] as const) {
    t.equal(paintFor(isTerminal, env).red('x'), 'x')
  }
})

t.test('progress is one line, drawn over and cleared; off a terminal there is none', async t => {
  const written: string[] = []
  const write = (text: string) => { written.push(text) }
  const quiet = progressOn({ isTerminal: false, columns: 80, write })
  quiet.show(1, 2, 'half')
  quiet.end()
  t.strictSame(written, [])

  const shown = progressOn({ isTerminal: true, columns: 60, write })
  shown.show(1, 2, 'half')
  shown.show(0, 0, 'nothing to do')
  shown.end()
  t.equal(written[0], `\r\u001b[K[${'█'.repeat(12)}${'·'.repeat(12)}] 50 % half`)
  t.match(written[1], /100 %/)
  t.equal(written[2], '\r\u001b[K')
})

t.test('times are short where they are looked at and exact where they are copied', async t => {
  const now = Date.parse('2026-03-01T12:00:00Z')
  const rows: Array<[string | null, string]> = [
    [null, ''],
    ['2026-03-01T11:59:18.500Z', '41s ago'],
    ['2026-03-01T11:57:00Z', '3m ago'],
    ['2026-03-01T07:00:00Z', '5h ago'],
    ['2026-02-27T12:00:00Z', '2d ago'],
    ['2026-03-01T12:03:00Z', 'in 3m']
  ]
  for (const [iso, says] of rows) t.equal(ago(iso, now), says)
  t.equal(exactTime('2026-03-01T11:59:18.500Z'), '2026-03-01T11:59:18Z')
  t.equal(exactTime(null), '')
  t.equal(shortly(999), '0s')
})
