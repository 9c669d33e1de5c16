/**
 * Step 2 of the journey, its first question: what is this callback about, and how
 * is a duplicate of it recognised?
 *
 *   bytes ──▶ UTF-8 ──▶ JSON object ──▶ taskId, status, type ──▶ digest of the rest
 *
 * An event is (taskId, status, content). Pure: no clock, no I/O. Promises that
 * the order of fields, white space and escapes do not change the digest, and
 * that every other difference does. Never throws, and never puts a value of the
 * body into a message.
 */
import { hash } from 'node:crypto'
import { isAscii, isUtf8 } from 'node:buffer'
import type { TaskFields } from '../model/event.js'
import type { FieldReading } from '../model/matcher.js'
import { readObject, readText, writeObject, type Member } from './canonical.js'
import { JsonScanner, MalformedJson } from './json-scan.js'

/** What a callback is about. */
export interface Identity extends TaskFields {
  /**
   * 22 characters: base64url of the first 16 bytes of SHA-256 over the
   * canonical content, which is every top-level field but `taskId`, `status`
   * and those to ignore.
   */
  digest: string
}

export type IdentityReading =
  | { kind: 'readable', identity: Identity }
  | {
    kind: 'unreadable'
    /** The field that is wrong; `null` if the body as a whole is. */
    field: string | null
    /** For the sender: what is wrong, as a phrase, without any value of the body. */
    problem: string
  }

const BYTE_ORDER_MARK = 0xfeff
const DIGEST_BYTES = 16

/** Code points, so that a character outside the basic plane counts once. */
const MAX_TASK_ID_CHARACTERS = 256
const MAX_TYPE_CHARACTERS = 128
const MAX_BUSINESS_ID_CHARACTERS = 256

const INTEGER = /^-?(?:0|[1-9]\d*)$/
/** C0, DEL, C1, and halves of a surrogate pair: none can be in a header or be percent-encoded. */
const UNUSABLE_CHARACTER = /\p{Cc}|\p{Surrogate}/u

/**
 * Reads what a callback is about.
 *
 * A byte order mark before the object is skipped (RFC 8259 §8.1 allows it): the
 * text is complete, so refusing it would lose a callback.
 *
 * A businessId that is not a string, or longer than 256 characters, is `null`,
 * because it is copied into every list and compared by filters. The body keeps
 * it unchanged, and it still counts as content.
 *
 * @param body          as received
 * @param ignoreFields  top-level fields that do not count as content
 * @param look          receives the values at its paths; they mean nothing if the body is unreadable
 * @returns             `unreadable` for anything that is not UTF-8, not a JSON
 *                      object, deeper than 64 objects and arrays, or has no
 *                      usable taskId, status and type
 * @throws              never
 * @see                 RFC 8259 (JSON), design 3.3 "Identity"
 */
export function readIdentity (body: Buffer, ignoreFields: readonly string[], look?: FieldReading): IdentityReading {
  const text = decode(body)
  if (text === null) return unreadable(null, 'the body is not UTF-8')
  const scanner = new JsonScanner(text)
  let members: Member[]
  try {
    members = readObject(scanner, look)
  } catch (error) {
    if (!(error instanceof MalformedJson)) throw error
    return unreadable(null, `the body is not a usable JSON object: ${error.message}`)
  }
  return readFields(members, text, ignoreFields)
}

/** Reads the members of the object. `content` has those that count. */
function readFields (members: readonly Member[], text: string, ignoreFields: readonly string[]): IdentityReading {
  let taskIdSource: string | undefined
  let statusSource: string | undefined
  let typeSource: string | undefined
  let businessId: string | null = null
  const content: Member[] = []
  for (const member of members) {
    const { name, value } = member
    switch (name) {
      case 'taskId':
        if (taskIdSource !== undefined) return twice(name)
        taskIdSource = value
        continue
      case 'status':
        if (statusSource !== undefined) return twice(name)
        statusSource = value
        continue
      case 'type':
        if (typeSource !== undefined) return twice(name)
        typeSource = value
        break
      case 'businessId':
        businessId = businessIdOf(value)
    }
    if (!ignoreFields.includes(name)) content.push(member)
  }

  const taskId = readName(taskIdSource, MAX_TASK_ID_CHARACTERS)
  if ('problem' in taskId) return unreadable('taskId', taskId.problem)
  const status = readStatus(statusSource)
  if ('problem' in status) return unreadable('status', status.problem)
  const type = readName(typeSource, MAX_TYPE_CHARACTERS)
  if ('problem' in type) return unreadable('type', type.problem)

  const canonical = writeObject(content, () => verbatim(content, text))
  return {
    kind: 'readable',
    identity: { taskId: taskId.name, status: status.status, type: type.name, businessId, digest: digestOf(canonical) }
  }
}

/** The source text of the members, by which an object with a duplicate name is compared. */
function verbatim (members: readonly Member[], text: string): string {
  return `{${members.map(member => text.slice(member.start, member.end)).join()}}`
}

/** `null` if the bytes are not UTF-8. */
function decode (body: Buffer): string | null {
  if (isAscii(body)) return body.toString('latin1')
  if (!isUtf8(body)) return null
  const text = body.toString('utf8')
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text
}

/** A name that is safe in a key, a header and a log line. */
function readName (source: string | undefined, maxCharacters: number): { name: string } | { problem: string } {
  if (source === undefined) return { problem: 'is missing' }
  const name = readText(source)
  if (name === null) return { problem: 'must be a string' }
  if (name === '') return { problem: 'must not be empty' }
  if (isLonger(name, maxCharacters)) return { problem: `must not be longer than ${maxCharacters} characters` }
  if (UNUSABLE_CHARACTER.test(name)) return { problem: 'must not hold control characters or lone surrogates' }
  return { name }
}

/** An integer, or a string of one: `1` and `"1"` are the same status. */
function readStatus (source: string | undefined): { status: number } | { problem: string } {
  if (source === undefined) return { problem: 'is missing' }
  const digits = readText(source) ?? source
  if (!INTEGER.test(digits)) return { problem: 'must be an integer, or a string of one' }
  const status = Number(digits)
  if (!Number.isSafeInteger(status)) return { problem: 'must be an integer that fits 53 bits' }
  return { status: status === 0 ? 0 : status } // "-0" is 0
}

/** `null` if it is too long: a part of it would match filters that the whole does not. */
function businessIdOf (value: string): string | null {
  const businessId = readText(value)
  return businessId !== null && isLonger(businessId, MAX_BUSINESS_ID_CHARACTERS) ? null : businessId
}

function isLonger (name: string, maxCharacters: number): boolean {
  if (name.length <= maxCharacters) return false
  return name.length > 2 * maxCharacters || [...name].length > maxCharacters
}

function digestOf (canonical: string): string {
  return hash('sha256', canonical, 'buffer').toString('base64url', 0, DIGEST_BYTES)
}

function twice (field: string): IdentityReading {
  return unreadable(field, 'must not be there twice')
}

function unreadable (field: string | null, problem: string): IdentityReading {
  return { kind: 'unreadable', field, problem }
}
