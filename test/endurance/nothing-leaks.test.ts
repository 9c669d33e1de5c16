/**
 * Each row of the table of misbehaviour, over and over, in a process of its
 * own: afterwards it holds no socket, no timer, no listener and no memory that
 * it did not hold before, and neither does the other side.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import t from '../support/tap.js'
import type { Asked, Question, Sum } from './fixtures/ask-in-rounds.js'
import { programAt } from '../support/program.js'
import { CA, place, ROWS, type Place, type Row } from '../outbound/misbehaviour.js'

const FIXTURE = programAt(import.meta.url, './fixtures/ask-in-rounds.ts')

/** Of sockets, clients and timers, beside what was there before: the parser and Node hold on to the last ones. */
const MAX_MORE = 4

/** Bytes, over all rows: what a heap moves by itself, and less than a hundred for each request. */
const MAX_GROWN = 1024 * 1024

/** The rows, and one whose name is resolved when everybody has given up. */
const ROWS_AND_LATE_NAME: readonly Row[] = [...ROWS, {
  says: 'has a name that is resolved too late', does () {}, place: async () => ({ url: 'http://late.example:1' }), slow: true, means: { failure: 'timeout', error: '' }
}]

function questionOf (row: Row, { url }: Place): Question {
  const question = { url, ca: CA, size: row.size ?? 64, timeoutMs: row.slow === true ? 100 : 15_000 }
  return row.heavy === true ? { ...question, together: 5, rounds: 4 } : { ...question, together: 50, rounds: 4 }
}

const asked = await Promise.all(ROWS_AND_LATE_NAME.map(async row => {
  const { url, server } = await place(t, row)
  return { row, server, question: questionOf(row, { url }) }
}))
const child = spawn(process.execPath, ['--no-warnings', '--expose-gc', FIXTURE], { stdio: ['pipe', 'pipe', 'inherit'] })
t.teardown(() => { child.kill('SIGKILL') })
child.stdin.end(JSON.stringify(asked.map(({ question }) => question)))
const lines = createInterface(child.stdout)[Symbol.asyncIterator]()

async function nextLine<T> (): Promise<T> {
  const { value } = await lines.next() as { value?: string }
  return JSON.parse(value ?? 'null') as T
}

for (const { row, server, question: { together, rounds } } of asked) {
  t.test(`one who ${row.says} leaves nothing open`, async t => {
    const count = together * rounds
    t.strictSame(await nextLine<Asked>(), { answers: { ['status' in row.means ? row.means.status : row.means.failure]: count }, handles: [], listeners: 0 })
    await server?.quiet()
  })
}

t.test('and all of them leave no object and no memory behind', async t => {
  const { before, after } = await nextLine<Sum>()
  for (const kind of ['sockets', 'clients', 'timers'] as const) {
    t.ok(after[kind] <= before[kind] + MAX_MORE, `${kind}: ${before[kind]} before, ${after[kind]} after`)
  }
  const requests = asked.reduce((sum, { question: { together, rounds } }) => sum + together * rounds, 0)
  const grown = after.memory - before.memory
  t.comment(`${requests} requests, ${grown} bytes more`)
  t.ok(grown < MAX_GROWN)
})
