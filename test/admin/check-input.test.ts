/** What is wrong with a request is told, and telling it costs next to nothing. */
import t from '../support/tap.js'
import { Type } from 'typebox'
import { checkFor, type InputError } from '../../src/admin/check-input.js'
import { isRelayError } from '../../src/model/errors.js'

const check = checkFor(Type.Object({ state: Type.Optional(Type.Array(Type.String(), { description: 'a list of states' })) }), 'body')

function refusal (body: unknown): { message: string, errors: InputError[] } {
  const checked = check(body)
  if ('value' in checked || !isRelayError(checked.error, 'INVALID_REQUEST')) throw new Error('not refused')
  return { message: checked.error.message, errors: checked.error.details['errors'] as InputError[] }
}

const unknown = (count: number): object => Object.fromEntries(Array.from({ length: count }, (_, at) => [`field-${at}`, 1]))

t.test('20 names are explained, the rest is counted', async t => {
  t.match(refusal(unknown(20)).errors, { length: 20 })
  t.notMatch(refusal(unknown(20)).message, /more/)
  const { message, errors } = refusal(unknown(25))
  t.match(errors, { length: 20 })
  t.match(message, / And 5 more\.$/)
})

t.test('a name that is wrong many times is one', async t => {
  const { message, errors } = refusal({ state: Array.from({ length: 100 }, () => 1) })
  t.strictSame(errors, [{ name: 'state', problem: 'state takes a list of states.' }])
  t.equal(message, 'state takes a list of states.')
})

/** Milliseconds of CPU, the least of some tries. */
function cpuMs (work: () => unknown): number {
  return Math.min(...Array.from({ length: 7 }, () => {
    const before = process.cpuUsage()
    work()
    return process.cpuUsage(before).user / 1_000
  }))
}

t.test('a body of a megabyte that is all wrong is told about as fast as it is read', async t => {
  const body = unknown(60_000)
  const text = JSON.stringify(body)
  const [readMs, toldMs] = [cpuMs(() => JSON.parse(text)), cpuMs(() => check(body))]
  t.ok(toldMs < 4 * readMs, `${toldMs} ms, and ${readMs} ms to read it: the event loop is not ours alone`)
  t.match(refusal(body).message, /And 59980 more/)
})
