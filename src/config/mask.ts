/**
 * Shows a configuration to people, for `check`: every value in use, and no secret.
 *
 * Secrets are `***`. A value from `${…}` is shown as written in the file, because
 * the path of the listener or a URL may contain a secret that came this way.
 */
import { FIELD_OF, type Match } from '../model/match.js'
import { maskUrl } from '../model/subscriber.js'
import { formatAddress, type ListenAddress, type Config } from './config.js'
import { formatDuration } from './duration.js'
import { formatSize } from './size.js'
import { yamlName } from './yaml-names.js'

const MASK = '***'

/** Names whose values are always secret. */
const SECRET = new Set(['headers', 'secrets', 'value', 'password', 'ca', 'cert', 'key'])

/** What an absent value means, where it does not mean none. */
const NOTHING: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.keys(FIELD_OF).map(key => [key, 'all'])),
  rateLimit: 'unlimited',
  dir: 'spool in dataDir',
  maxMemoryBytes: 'half of what there is',
  claimsMemoryBytes: 'a quarter of Redis\'s maxmemory'
}

/** Already shown by other rows: the variant of a union, and the URL again. */
const UNSHOWN = new Set(['kind', 'shownUrl'])

/** One line per value, aligned, under a heading for each part. Ends without a line break. */
export function describeConfig (config: Config): string {
  const { asWritten = new Map<string, string>(), subscribers, ...rest } = config
  const parts = [
    ...Object.entries(rest).map(([name, value]) => ({ title: yamlName(name), rows: rowsOf({ name, value, path: yamlName(name), asWritten }) })),
    ...subscribers.length > 0 ? [] : [{ title: 'subscribers', rows: [['', 'none']] satisfies Row[] }],
    ...subscribers.map(({ name, ...value }, at) => ({ title: `subscriber ${name}`, rows: rowsOf({ name, value, path: `subscribers[${at}]`, asWritten }) }))
  ]
  const width = Math.max(...parts.flatMap(({ rows }) => rows.map(([label]) => label.length)))
  return parts.map(({ title, rows }) => describePart(title, rows, width)).join('\n')
}

/** The label of a row within its part, and its value; the label is empty if the part is one value. */
type Row = [label: string, text: string]

function describePart (title: string, rows: readonly Row[], width: number): string {
  const [first] = rows
  if (first !== undefined && first[0] === '') return `${title.padEnd(width + 2)}  ${first[1]}`
  return [title, ...rows.map(([label, text]) => `  ${label.padEnd(width)}  ${text}`)].join('\n')
}

interface MaskedSpot {
  name: string
  value: unknown
  /** Path in the YAML. */
  path: string
  asWritten: ReadonlyMap<string, string>
  label?: string
}

function rowsOf (spot: MaskedSpot): Row[] {
  const { name, value, label = '' } = spot
  if (SECRET.has(name)) return [[label, maskAll(value)]]
  if (name === 'fields') return Object.entries(value as NonNullable<Match['fields']>).map(([path, values]) => fieldRow(spot, path, values))
  if (isBlock(value)) {
    return Object.entries(value).filter(([key]) => !UNSHOWN.has(key))
      .flatMap(([key, inner]) => rowsOf({ ...spot, ...step(spot, yamlName(key)), name: key, value: inner }))
  }
  if (Array.isArray(value) && value.some(isBlock)) {
    return value.flatMap((inner: unknown, at) => rowsOf({ ...spot, value: inner, path: `${spot.path}[${at}]`, label: `${label}[${at}]` }))
  }
  return [[label, textOf(spot)]]
}

/** A field of a body may have any name, even one that is secret or has a unit elsewhere; and the start of a URL is not a URL. */
function fieldRow (spot: MaskedSpot, path: string, values: readonly string[]): Row {
  const at = step(spot, path)
  return [at.label, values.length === 0 ? 'all' : values.map((value, i) => withoutCredentials(spot.asWritten.get(`${at.path}[${i}]`) ?? value)).join(', ')]
}

function step ({ path, label = '' }: MaskedSpot, name: string): { path: string, label: string } {
  return { path: `${path}.${name}`, label: label === '' ? name : `${label}.${name}` }
}

/** Their number and their names, but not their values. */
function maskAll (value: unknown): string {
  if (value === null) return 'none'
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(() => MASK).join(', ')
  if (!isBlock(value)) return MASK
  const names = Object.keys(value)
  return names.length === 0 ? 'none' : names.map(name => `${name}: ${MASK}`).join(', ')
}

function textOf ({ name, value, path, asWritten }: MaskedSpot): string {
  if (name.endsWith('Ms') && typeof value === 'number') return formatDuration(value)
  if (name.endsWith('Bytes') && typeof value === 'number') return formatSize(value)
  if (isAddress(value)) return formatAddress(value)
  if (value === null || (Array.isArray(value) && value.length === 0)) return NOTHING[name] ?? 'none'
  if (name === 'waitsMs' && Array.isArray(value)) return value.map(Number).map(formatDuration).join(', ')
  if (Array.isArray(value)) return value.map((entry, at) => shown(String(entry), `${path}[${at}]`, asWritten)).join(', ')
  return shown(String(value), path, asWritten)
}

function shown (text: string, path: string, asWritten: ReadonlyMap<string, string>): string {
  if (path === 'redis.url') return maskUrl(text)
  const source = asWritten.get(path)
  if (source !== undefined) return withoutCredentials(source)
  return /^https?:\/\//i.test(text) ? maskUrl(text) : text
}

/** Like `maskUrl`, for a text that is not a URL yet: `https://user:word@${HOST}/?a=b`. */
export function withoutCredentials (source: string): string {
  return source.replace(/\/\/[^/]*@/, `//${MASK}@`).replace(/([?&][^=&]*=)[^&#]*/g, `$1${MASK}`)
}

function isBlock (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isAddress(value)
}

function isAddress (value: unknown): value is ListenAddress {
  return typeof value === 'object' && value !== null && 'host' in value && 'port' in value
}
