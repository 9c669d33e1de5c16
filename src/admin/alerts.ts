/**
 * Alerts: the active ones and their receivers, and a test of the receivers.
 */
import { Type, type Static } from 'typebox'
import { CONDITION_NAMES } from '../conditions/list.js'
import { SEVERITIES, type Alert } from '../model/alert.js'
import { RelayError } from '../model/errors.js'
import type { AdminOptions } from './options.js'
import { API, type Route } from './route.js'
import { listOf, nullable, oneOf, Time, timeOf } from './shapes.js'

export const AlertShape = Type.Object({
  name: oneOf(CONDITION_NAMES),
  severity: oneOf(SEVERITIES),
  subscriber: nullable(Type.String(), { description: 'the subscriber that the alert concerns; null if it concerns none' }),
  summary: Type.String(),
  figures: Type.Record(Type.String(), Type.Number(), { description: 'the numbers of the summary' }),
  of: oneOf(['relay', 'replica'], { description: 'relay: concerns all replicas; replica: concerns the answering process only' }),
  since: Time,
  toldTo: Type.Array(Type.String(), { description: 'receivers that have accepted the alert; a missing one has not answered yet, or the condition has not lasted for alerts.after' })
})

export const TestShape = Type.Object({
  receiver: Type.String(),
  statusCode: nullable(Type.Integer()),
  error: nullable(Type.String(), { description: 'why the receiver did not accept the message; null if it did' })
})

/** The routes under `/alerts`. */
export function alertRoutes ({ alerts }: AdminOptions): Route[] {
  function show (alert: Alert): Static<typeof AlertShape> {
    const { name, severity, subscriber, summary, figures = {}, of, since } = alert
    return { name, severity, subscriber, summary, figures, of, since: timeOf(since), toldTo: alerts.toldOf(alert) }
  }

  return [
    {
      method: 'GET',
      path: `${API}/alerts`,
      does: 'Lists active alerts, the oldest first: those of the whole relay, and those of the answering process.',
      answers: { 200: { means: 'All active alerts', schema: listOf(AlertShape) } },
      handle: async () => ({ items: (await alerts.current()).map(show), nextCursor: null })
    },
    {
      method: 'POST',
      path: `${API}/alerts/test`,
      does: 'Sends a test to every receiver of alerts, and returns the answers.',
      answers: { 200: { means: 'The answers of the receivers', schema: listOf(TestShape) } },
      async handle () {
        const items = await alerts.test()
        if (items.length === 0) throw new RelayError('CONFLICT', 'No receiver is configured: name one under alerts.receivers and reload.')
        return { items, nextCursor: null }
      }
    }
  ]
}
