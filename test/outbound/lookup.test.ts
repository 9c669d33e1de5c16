import t from '../support/tap.js'
import type { LookupAddress } from 'node:dns'
import { createLookup } from '../../src/outbound/lookup.js'

type Answer = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void

t.test('all who ask for one name share one question, and the next asks anew', async t => {
  const asked: Array<[string, Answer]> = []
  const lookup = createLookup((name, _, answer) => { asked.push([name, answer]) })
  const answers: Array<string | LookupAddress[]> = []
  const ask = (name: string): void => { lookup(name, { all: true }, (_, address) => { answers.push(address) }) }

  ask('a.invalid'); ask('a.invalid'); ask('b.invalid')
  t.strictSame(asked.map(([name]) => name), ['a.invalid', 'b.invalid'])

  const addresses = [{ address: '127.0.0.1', family: 4 }]
  asked[0]![1](null, addresses)
  t.strictSame(answers, [addresses, addresses])
  t.not(answers[0], answers[1], 'each has an array of its own')

  ask('a.invalid')
  t.equal(asked.length, 3)
})

t.test('other options are another question', async t => {
  let questions = 0
  const lookup = createLookup(() => { questions++ })
  for (const options of [{}, { all: true }, { family: 6 }, { hints: 1 }, { all: true }]) lookup('a.invalid', options, () => {})
  t.equal(questions, 4)
})

t.test('an error reaches everybody who asked', async t => {
  const errors: unknown[] = []
  const lookup = createLookup((_, __, answer) => {
    setImmediate(() => { (answer as (error: Error) => void)(new Error('ENOTFOUND')) })
  })
  await Promise.all([1, 2].map(async () => {
    await new Promise<void>(resolve => { lookup('a.invalid', {}, error => { errors.push(error?.message); resolve() }) })
  }))
  t.strictSame(errors, ['ENOTFOUND', 'ENOTFOUND'])
})

t.test('the system\'s resolver is asked unless told otherwise', async t => {
  const address = await new Promise(resolve => { createLookup()('127.0.0.1', {}, (_, found) => { resolve(found) }) })
  t.equal(address, '127.0.0.1')
})

/** A resolver that says what it is told to, when it is told to, and a clock. */
function resolver (): { lookup: ReturnType<typeof createLookup>, asked: string[], answer: (name: string, afterMs: number, code?: string) => void } {
  const open = new Map<string, Answer>()
  const asked: string[] = []
  let now = 0
  const lookup = createLookup((name, _, answer) => { asked.push(name); open.set(name, answer) }, () => now)
  return {
    lookup,
    asked,
    answer (name, afterMs, code) {
      now += afterMs
      const error = code === undefined ? null : Object.assign(new Error(code), { code })
      open.get(name)!(error, '127.0.0.1', 4)
    }
  }
}

t.test('names that failed slowly are asked one after the other, and hold up no others', async t => {
  const { lookup, asked, answer } = resolver()
  const answered: string[] = []
  const ask = (name: string): void => { lookup(name, {}, () => { answered.push(name) }) }
  const dead = ['dead1', 'dead2', 'dead3']

  for (const name of [...dead, 'good']) ask(name)
  t.strictSame(asked.splice(0), [...dead, 'good'], 'nobody knows yet')
  for (const name of dead) answer(name, 10_000, 'EAI_AGAIN')
  answer('good', 10)

  for (const name of [...dead, 'good']) ask(name)
  t.strictSame(asked.splice(0), ['dead1', 'good'], 'who had to wait for the bad ones is none of them')
  answer('good', 10)
  ask('good')
  ask('dead2')
  t.strictSame(asked.splice(0), ['good'], 'a place in the line is shared too')
  answer('dead1', 10_000, 'EAI_AGAIN')
  t.strictSame(asked.splice(0), ['dead2'])
  answer('dead2', 10, 'ENOTFOUND')
  t.strictSame(asked.splice(0), ['dead3'])
  answer('dead3', 10_000)
  t.strictSame(answered.splice(0), [...dead, 'good', 'good', 'dead1', 'dead2', 'dead2', 'dead3'])

  for (const name of dead) ask(name)
  t.strictSame(asked.splice(0), dead, 'a quick no and a late yes clear a name')
})

t.test('a line that stood still moves on', async t => {
  const { lookup, asked, answer } = resolver()
  const ask = (name: string): void => { lookup(name, {}, () => {}) }
  for (const name of ['dead1', 'dead2']) { ask(name); answer(name, 10_000, 'EAI_AGAIN') }
  for (let round = 0; round < 3; round++) {
    asked.splice(0)
    for (const name of ['dead1', 'dead2']) ask(name)
    for (const name of ['dead1', 'dead2']) answer(name, 10_000, 'EAI_AGAIN')
    t.strictSame(asked, ['dead1', 'dead2'])
  }
})
