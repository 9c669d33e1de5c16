/**
 * The kinds of value of the configuration beyond plain numbers and choices: how
 * each is read, and its syntax for an editor.
 *
 * Each reader takes the text of the file after interpolation, and returns the
 * value that the gateway uses. No reader shows its input.
 */
import type { ListenAddress } from './config.js'
import { DURATION_PATTERN, parseDuration } from './duration.js'
import { parseSize, SIZE_PATTERN } from './size.js'
import { FIELD_PATH_PATTERN } from '../model/field-path.js'
import { readFieldPath, readFieldValue, readTypePattern, TYPE_PATTERN, VALUE_PATTERN } from './match-kinds.js'
import { readAddress, readNetwork, readNode, readRoute } from './network-kinds.js'
import { readHeaderValue, readSecret, readToken } from './secret-kinds.js'
import { readRedisUrl, readHttpUrl } from './url-kinds.js'
import type { Outside } from './interpolate.js'
import type { Reading } from './reading.js'

/** The type of each kind after reading. */
export interface Kinds {
  /** Milliseconds. */
  duration: number
  /** Bytes. */
  size: number
  address: ListenAddress
  /** `host:port`. */
  node: string
  /** The path of a URL. */
  route: string
  /** An address or a CIDR range. */
  network: string
  httpUrl: string
  /** Empty means none. */
  redisUrl: string
  /** `whsec_…`. */
  secret: string
  token: string
  headerValue: string
  /** The name of a subscriber. */
  subscriberName: string
  /** The name of a receiver of alerts. */
  receiverName: string
  /** The name of a token. */
  tokenName: string
  redisPrefix: string
  status: number
  /** A type of event; a `*` at the end makes it a prefix. */
  typePattern: string
  /** See model/field-path. */
  fieldPath: string
  /** The text that a field of a body must have; a `*` at the end makes it a prefix. */
  fieldValue: string
  /** Not empty. */
  text: string
  /** May be empty, which means none. */
  optionalText: string
  /** The text of a PEM file; the YAML has its path. */
  pemFile: string
}

export type Kind = keyof Kinds

type Reader<T> = (written: string | number | boolean, outside: Outside, digits?: string) => Reading<T>

const NAME = /^[a-z][a-z0-9-]{0,62}$/
const NAME_HINT = 'write a letter a–z, then up to 62 of a–z, 0–9 and -'

/** How each kind is read. */
export const READERS: { readonly [K in Kind]: Reader<Kinds[K]> } = {
  duration: parseDuration,
  size: parseSize,
  address: readAddress,
  node: text(readNode),
  route: text(readRoute),
  network: text(readNetwork),
  httpUrl: text(readHttpUrl),
  redisUrl: text(readRedisUrl),
  secret: text(readSecret),
  token: text(readToken),
  headerValue: text(readHeaderValue),
  subscriberName: text(matching(NAME, 'is not a subscriber name', NAME_HINT)),
  receiverName: text(matching(NAME, 'is not the name of a receiver', NAME_HINT)),
  tokenName: text(matching(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/, 'is not a token name', 'write up to 64 of A–Z, a–z, 0–9 and . _ @ -, such as alice')),
  redisPrefix: text(matching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'is not a prefix', 'write up to 64 of A–Z, a–z, 0–9 and . _ -')),
  status: readStatus,
  typePattern: text(readTypePattern),
  fieldPath: text(readFieldPath),
  fieldValue: (written, _outside, digits) => readFieldValue(digits ?? String(written), typeof written),
  text: text(plain => plain === '' ? { problem: 'is empty' } : { value: plain }),
  optionalText: text(value => ({ value })),
  pemFile: text(readPemFile)
}

/** The syntax of each kind, for editors; absent if a pattern would not help. */
export const PATTERNS: { readonly [K in Kind]?: string } = {
  duration: DURATION_PATTERN,
  size: SIZE_PATTERN,
  address: '^.+:[0-9]+$',
  node: '^.+:[0-9]+$',
  route: '^/[^?#]*$',
  httpUrl: '^https?://.+$',
  secret: '^(v1,)?whsec_.+$',
  subscriberName: NAME.source,
  receiverName: NAME.source,
  typePattern: TYPE_PATTERN,
  fieldPath: FIELD_PATH_PATTERN,
  fieldValue: VALUE_PATTERN,
  status: '^-?[0-9]+$'
}

/** Most kinds are texts; a number or boolean instead only lacks its quotes. */
function text<T> (read: (written: string, outside: Outside) => Reading<T>): Reader<T> {
  return (written, outside) => typeof written === 'string'
    ? read(written, outside)
    : { problem: 'is not a text', hint: 'put it in quotes' }
}

function matching (pattern: RegExp, problem: string, hint: string): (written: string) => Reading<string> {
  return value => pattern.test(value) ? { value } : { problem, hint }
}

function readStatus (written: string | number | boolean): Reading<number> {
  const status = typeof written === 'string' && /^-?\d+$/.test(written) ? Number(written) : written
  if (!Number.isSafeInteger(status)) return { problem: 'is not a status', hint: 'write a whole number, such as 1' }
  return { value: Number(status) }
}

function readPemFile (path: string, outside: Outside): Reading<string> {
  if (path === '') return { problem: 'is empty', hint: 'write the path of a PEM file' }
  const reading = outside.readFile(path)
  const hint = 'it must have a line -----BEGIN …-----'
  if ('problem' in reading) return { ...reading, ...reading.hint === undefined ? {} : { hint }, problem: `names a file that ${reading.problem}` }
  if (!reading.value.includes('-----BEGIN ')) return { problem: 'names a file that is not PEM', hint }
  return reading
}
