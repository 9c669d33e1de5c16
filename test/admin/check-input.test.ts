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

t.test('of a body of a megabyte that is all wrong no more is explained than is told', async t => {
  let explained = 0
  const schema = Type.Object({ state: Type.Optional(Type.String()) })
  schema.properties = new Proxy(schema.properties, {
    ownKeys (properties) {
      explained++
      return Reflect.ownKeys(properties)
    }
  })
  const check = checkFor(schema, 'body')
  explained = 0
  t.match(check(unknown(60_000)), { error: { message: /And 59980 more/ } })
  t.equal(explained, 20, 'to look for what was meant is what costs: the event loop is not ours alone')
})
