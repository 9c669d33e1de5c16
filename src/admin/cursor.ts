/**
 * Where the next page of a list begins, as a text that callers hand back and
 * never look into.
 *
 * A cursor knows which list it is of, so that one of another list is refused
 * and not misread. It holds a place in the record, no time and no count, so
 * what arrives meanwhile changes nothing behind it.
 */
import { RelayError } from '../model/errors.js'

/** A place in the list of deliveries. */
export interface DeliveryPlace {
  /** Only events with a sequence below this. */
  below: number
  /** Deliveries to pass over of the event right below, because they were given already. */
  skip: number
}

/** The cursor of a list of events: only those below this sequence follow. */
export function eventCursor (below: number): string {
  return write(`e.${below}`)
}

/**
 * Reads what {@link eventCursor} wrote.
 *
 * @returns `null` at the beginning
 * @throws  RelayError INVALID_REQUEST for any other text
 */
export function readEventCursor (cursor: string | undefined): number | null {
  if (cursor === undefined) return null
  return Number(read(cursor, /^e\.(\d{1,16})$/)[1])
}

/** The cursor of a list of deliveries. */
export function deliveryCursor ({ below, skip }: DeliveryPlace): string {
  return write(`d.${below}.${skip}`)
}

/** Reads what {@link deliveryCursor} wrote; the rest as in {@link readEventCursor}. */
export function readDeliveryCursor (cursor: string | undefined): DeliveryPlace | null {
  if (cursor === undefined) return null
  const parts = read(cursor, /^d\.(\d{1,16})\.(\d{1,6})$/)
  return { below: Number(parts[1]), skip: Number(parts[2]) }
}

/** The cursor of a list of orders: those placed before this one follow. */
export function orderCursor (id: string): string {
  return write(`r.${id}`)
}

/** Reads what {@link orderCursor} wrote; the rest as in {@link readEventCursor}. */
export function readOrderCursor (cursor: string | undefined): string | null {
  if (cursor === undefined) return null
  return read(cursor, /^r\.((?:rpl|ord)_[0-9A-Z]{26})$/)[1]!
}

function write (place: string): string {
  return Buffer.from(place).toString('base64url')
}

function read (cursor: string, form: RegExp): RegExpExecArray {
  const place = Buffer.from(cursor, 'base64url').toString('latin1')
  const parts = form.exec(place)
  if (parts !== null && write(place) === cursor) return parts
  const problem = 'cursor takes the nextCursor of the page before, of the same list, as it was given.'
  throw new RelayError('INVALID_REQUEST', problem, { errors: [{ name: 'cursor', problem }] })
}
