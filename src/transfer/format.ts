/**
 * What an export is: NDJSON, one thing a line, each with its `kind`.
 *
 *   header ─▶ subscribers on hold ─▶ claims of deleted events ─▶ tasks ─▶ events, oldest first ─▶ end
 *
 * An event of which too much cannot be read to be one again stands among the
 * events as what is left of it, for a person: an import passes it over.
 *
 * Tasks stand before events: a callback that is accepted while the export runs
 * is then missing, or is there as an event whose claim the import makes again;
 * never a claim without its event, which would turn the vendor's duplicate away. The `end` line tells a whole export from one that was cut short.
 *
 * Unknown fields are left alone, so that a later release may add some.
 */
import { Ajv, type ValidateFunction } from 'ajv'
import { Type, type Static, type TSchema } from 'typebox'
import { DELIVERY_STATES, EVENT_HOLDS } from '../model/delivery.js'
import { FLAGS } from '../model/event.js'

/** Raised when a reader of the present one could no longer make sense of it. */
export const FORMAT = 'fotor-relay-export/1'

const oneOf = (names: readonly string[]): TSchema => Type.Union(names.map(name => Type.Literal(name)))
const orNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])
const Text = (longest: number) => Type.String({ maxLength: longest })
/** Epoch milliseconds, a count, or a place in the record. */
const Whole = Type.Integer({ minimum: 0 })
const Name = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' })
const EventId = Type.String({ pattern: '^evt_[0-9A-Z]{26}$' })
const TaskId = Type.String({ minLength: 1, maxLength: 256 })
const Base64 = Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$' })
const Digest = Type.String({ pattern: '^[0-9A-Za-z_-]{1,128}$' })

const Header = Type.Object({
  kind: Type.Literal('header'),
  format: Type.Literal(FORMAT),
  /** Of this export: an import that is begun again is known by it. */
  id: Type.String({ pattern: '^exp_[0-9A-Z]{26}$' }),
  /** ISO 8601. */
  exportedAt: Text(40),
  /** Of the program. */
  version: Text(40)
})

/** Holds that a person or the subscriber itself has set; the others follow from the configuration. */
const SubscriberLine = Type.Object({
  kind: Type.Literal('subscriber'),
  name: Name,
  holds: Type.Array(oneOf(['pause', 'gone']))
})

/** What is remembered of deleted events, as it lies in Redis: see record/claims.lua. An earlier release refuses the line. */
const ClaimsLine = Type.Object({
  kind: Type.Literal('claims'),
  /** The times of their bucket, epoch milliseconds. */
  from: Whole,
  till: Whole,
  last: Whole,
  /** Names and entries, base64. */
  entries: Type.Array(Type.Tuple([Base64, Base64]))
})

/** What is known of a task besides its events. */
const TaskLine = Type.Object({
  kind: Type.Literal('task'),
  taskId: TaskId,
  /** Of test events, which never claim what a callback would. */
  test: Type.Boolean(),
  claims: Type.Array(Type.Object({ status: Type.Integer(), digest: Digest, eventId: EventId, at: Whole })),
  /** The last number given, by status. */
  revisions: Type.Record(Type.String({ pattern: '^-?\\d{1,16}$' }), Whole),
  /** Final statuses in the order of their arrival. */
  finals: Type.Array(Type.Integer()),
  /** When the first of them arrived, epoch milliseconds; left out when nobody knows. */
  finalAt: Type.Optional(Whole),
  /** Events that no claim names any more. */
  formerEvents: Type.Array(EventId),
  /** When it is forgotten, epoch milliseconds; `null` while it has events. */
  expiresAt: orNull(Whole)
})

const AttemptShape = Type.Object({
  number: Whole,
  at: Whole,
  statusCode: orNull(Whole),
  error: orNull(Text(4_096)),
  latencyMs: Type.Number({ minimum: 0 }),
  responseExcerpt: orNull(Text(8_192)),
  replayId: orNull(Text(64))
})

const DeliveryShape = Type.Object({
  subscriber: Name,
  state: oneOf(DELIVERY_STATES),
  heldBy: orNull(oneOf(EVENT_HOLDS)),
  generation: Type.Integer({ minimum: 1 }),
  attempts: Whole,
  budgetUsed: Whole,
  /** Time since it was queued, without time on hold and without the time between export and import; milliseconds. */
  ageMs: Whole,
  nextAttemptAt: orNull(Whole),
  lastStatusCode: orNull(Whole),
  lastError: orNull(Text(4_096)),
  deliveredAt: orNull(Whole),
  replayId: orNull(Text(64)),
  webhookId: orNull(Text(128)),
  /** Oldest first; those that are kept. */
  history: Type.Array(AttemptShape)
})

const EventLine = Type.Object({
  kind: Type.Literal('event'),
  id: EventId,
  taskId: TaskId,
  status: Type.Integer(),
  type: Text(128),
  businessId: orNull(Text(4_096)),
  digest: Digest,
  receivedAt: Whole,
  sequence: Type.Integer({ minimum: 1 }),
  revision: Type.Integer({ minimum: 1 }),
  flags: Type.Array(oneOf(FLAGS)),
  duplicates: Whole,
  /** Bytes of the body. */
  size: Whole,
  contentType: Type.String(), // as long as accepting takes it, and that has limits of its own
  /** When its last open delivery ended, epoch milliseconds; `null` while one is open. */
  endedAt: orNull(Whole),
  deliveries: Type.Array(DeliveryShape),
  /** Base64. */
  body: Base64
})

/** What is left of an event that is none any more. An earlier release refuses the line. */
const CorruptLine = Type.Object({
  kind: Type.Literal('corrupt'),
  id: Type.String(),
  /** Its place in the record. */
  sequence: Whole,
  /** Of its hash, as they are; bytes that are no text are lost. */
  fields: Type.Record(Type.String(), Type.String()),
  /** Base64; `null` when it is gone. */
  body: orNull(Base64)
})

const End = Type.Object({
  kind: Type.Literal('end'),
  subscribers: Whole,
  tasks: Whole,
  events: Whole,
  /** None when left out. */
  corrupt: Type.Optional(Whole)
})

export type Header = Static<typeof Header>
export type SubscriberLine = Static<typeof SubscriberLine>
export type ClaimsLine = Static<typeof ClaimsLine>
export type TaskLine = Static<typeof TaskLine>
export type DeliveryLine = Static<typeof DeliveryShape>
export type EventLine = Static<typeof EventLine>
export type CorruptLine = Static<typeof CorruptLine>
export type End = Static<typeof End>
export type Line = Header | SubscriberLine | ClaimsLine | TaskLine | EventLine | CorruptLine | End

const ajv = new Ajv()
const CHECKS: Record<string, ValidateFunction> = {
  header: ajv.compile(Header),
  subscriber: ajv.compile(SubscriberLine),
  claims: ajv.compile(ClaimsLine),
  task: ajv.compile(TaskLine),
  event: ajv.compile(EventLine),
  corrupt: ajv.compile(CorruptLine),
  end: ajv.compile(End)
}

/** As it stands in the file, with its line break. */
export function writeLine (line: Line): string {
  return JSON.stringify(line) + '\n'
}

/**
 * Reads one line.
 *
 * @returns the line, or what is wrong with it: a clause that shows nothing of it but the name of a field
 */
export function readLine (text: string): { line: Line } | { fault: string } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { fault: 'is no JSON' }
  }
  const { kind, format } = (value ?? {}) as { kind?: unknown, format?: unknown }
  const check = typeof kind === 'string' && Object.hasOwn(CHECKS, kind) ? CHECKS[kind] : undefined
  if (check === undefined) return { fault: `has no kind that this release knows (${Object.keys(CHECKS).join(', ')})` }
  if (kind === 'header' && format !== FORMAT) return { fault: `is not of the format ${FORMAT}, which this release reads` }
  if (!check(value)) {
    const { instancePath, message } = check.errors![0]!
    return { fault: `is no ${String(kind)}: ${instancePath === '' ? 'it' : instancePath.slice(1).replaceAll('/', '.')} ${message}` }
  }
  const line = value as Line
  return line.kind === 'event' ? withWholeBody(line) : { line }
}

/** Whether this is an event that an import takes. */
export function isEventLine (line: EventLine): boolean {
  return CHECKS['event']!(line) as boolean
}

function withWholeBody (line: EventLine): { line: Line } | { fault: string } {
  const { length } = Buffer.from(line.body, 'base64')
  return length === line.size ? { line } : { fault: `is no event: its body has ${length} bytes and its size says ${line.size}` }
}
