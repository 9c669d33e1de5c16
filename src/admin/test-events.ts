/**
 * Test events: a callback made by an operator takes the same path as every
 * callback. Only its flag distinguishes it from a real one.
 */
import { Type, type Static } from 'typebox'
import type { Acceptance } from '../accept/arrival.js'
import { RelayError } from '../model/errors.js'
import { describeMatch } from '../model/match.js'
import { sortableId } from '../model/sortable-id.js'
import type { Subscriber } from '../model/subscriber.js'
import { invalid } from './check-input.js'
import { requireKnown } from './order-filters.js'
import type { AdminOptions } from './options.js'
import { API, type Route } from './route.js'
import { nullable, oneOf } from './shapes.js'

const DEFAULT_TYPE = 'test'
const DEFAULT_STATUS = 1

const testBody = Type.Object({
  taskId: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: 'a text of 1 to 256 characters (default: a new one)' })),
  type: Type.Optional(Type.String({ minLength: 1, maxLength: 128, description: `a text of 1 to 128 characters (default: ${DEFAULT_TYPE})` })),
  status: Type.Optional(Type.Integer({ description: `an integer (default: ${DEFAULT_STATUS})` })),
  body: Type.Optional(Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.String()], {
    description: 'the whole callback instead: a JSON object, or a text that is sent byte for byte'
  })),
  subscriber: Type.Optional(Type.String({ description: 'name of the only subscriber that receives it' }))
})
type TestBody = Static<typeof testBody>

const taken = Type.Object({
  eventId: nullable(Type.String(), { description: 'null while the callback is in the spool' }),
  status: oneOf(['accepted', 'duplicate', 'spooled'])
})

/** The route of test events. */
export function testEventRoutes ({ accept, wants, subscribers }: AdminOptions): Route[] {
  const send: Route['handle'] = async (request, reply) => {
    const written = request.body as TestBody
    const text = callbackOf(written)
    const body = Buffer.from(text)
    if (written.subscriber !== undefined) requireMatch(wants, body, subscriberNamed(written.subscriber, subscribers()))
    const acceptance = await accept({
      body,
      contentType: 'application/json',
      receivedAt: Date.now(),
      flags: ['test'],
      ...(written.subscriber === undefined ? {} : { only: written.subscriber })
    })
    return reply.code(202).send(takenFrom(acceptance))
  }

  return [{
    method: 'POST',
    path: `${API}/test-events`,
    does: 'Makes a test callback and accepts it like a real one, with the flag test.',
    body: testBody,
    answers: { 202: { means: 'The callback is durable', schema: taken } },
    handle: send
  }]
}

/** The callback as text. */
function callbackOf ({ body, taskId, type, status }: TestBody): string {
  if (body === undefined) {
    return JSON.stringify({
      taskId: taskId ?? `test-${sortableId(Date.now())}`, status: status ?? DEFAULT_STATUS, type: type ?? DEFAULT_TYPE
    })
  }
  if (taskId !== undefined || type !== undefined || status !== undefined) {
    throw invalid([{ name: 'body', problem: 'body is the whole callback: put taskId, type and status into it, or leave body out.' }])
  }
  return typeof body === 'string' ? body : JSON.stringify(body)
}

/** @throws RelayError INVALID_REQUEST if there is no such subscriber */
function subscriberNamed (name: string, subscribers: readonly Subscriber[]): Subscriber {
  requireKnown([name], subscribers.map(subscriber => subscriber.name))
  return subscribers.find(subscriber => subscriber.name === name)!
}

/**
 * A test for one subscriber that would not get it is useless. For an unreadable
 * body, accepting returns a better error.
 *
 * @throws RelayError CONFLICT if the subscriber does not want this event
 */
function requireMatch (wants: AdminOptions['wants'], body: Buffer, { name, match }: Subscriber): void {
  if (wants(match, body) !== false) return
  throw new RelayError('CONFLICT', `The match of subscriber ${name} excludes this event: one of its fields has a value that is not listed. ` +
    `It matches ${describeMatch(match)}.`)
}

/** @throws RelayError INVALID_REQUEST if it is not a callback, REDIS_UNAVAILABLE if it is not durable */
function takenFrom (acceptance: Acceptance): Static<typeof taken> {
  switch (acceptance.kind) {
    case 'accepted':
    case 'duplicate':
      return { eventId: acceptance.eventId, status: acceptance.kind }
    case 'spooled':
      return { eventId: null, status: 'spooled' }
    case 'unreadable': {
      const { field, problem } = acceptance
      throw invalid([{ name: field ?? 'body', problem: `This is not a callback: ${field === null ? '' : field + ' '}${problem}.` }])
    }
    case 'unavailable':
      throw new RelayError('REDIS_UNAVAILABLE', 'The test event could not be stored. Try again in a few seconds.')
  }
}
