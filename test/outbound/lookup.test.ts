import t from 'tap'
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
