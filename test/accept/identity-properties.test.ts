/**
 * What must hold of `identity` for every callback, not only for those we
 * thought of.
 */
import t from '../support/tap.js'
import fc from 'fast-check'
import { readIdentity } from '../../src/accept/identity.js'

const RUNS = { numRuns: 400 }

function digestOf (text: string): string {
  const reading = readIdentity(Buffer.from(text), [])
  if (reading.kind !== 'readable') throw new Error(`unreadable: ${reading.field} ${reading.problem}`)
  return reading.identity.digest
}

/** A callback that holds `text` as the value of one field. */
function holding (text: string): string {
  return `{"taskId":"t","status":1,"type":"a","x":${text}}`
}

function parses (text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** A small generator of choices, so that one number makes one way of writing. */
function choices (seed: number): (below: number) => number {
  let state = seed | 1
  return below => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >>> 8) % below
  }
}

/** Writes a value as JSON in some order, with some white space and some escapes. */
function write (value: unknown, choose: (below: number) => number): string {
  const gap = (): string => ['', '', ' ', '\n', '\t', '\r\n  '][choose(6)]!
  if (typeof value === 'string') return writeString(value, choose)
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${gap()}${value.map(entry => write(entry, choose) + gap()).join(',' + gap())}]`
  const members = Object.entries(value).map(([name, entry]) =>
    gap() + writeString(name, choose) + gap() + ':' + gap() + write(entry, choose) + gap())
  for (let i = members.length - 1; i > 0; i--) {
    const j = choose(i + 1)
    ;[members[i], members[j]] = [members[j]!, members[i]!]
  }
  return `{${members.join()}}`
}

function writeString (value: string, choose: (below: number) => number): string {
  let text = ''
  for (let i = 0; i < value.length; i++) {
    const escape = '\\u' + value.charCodeAt(i).toString(16).padStart(4, '0')
    const isHalf = /\p{Surrogate}/u.test(value[i]!)
    text += choose(4) === 0 || isHalf ? escape : JSON.stringify(value[i]!).slice(1, -1)
  }
  return `"${text}"`
}

/** Replaces the leaf of this number, counted in order; containers that are empty are leaves. */
function withLeaf (value: unknown, number: { left: number }, leaf: unknown): unknown {
  const isLeaf = value === null || typeof value !== 'object' || Object.keys(value).length === 0
  if (isLeaf) return number.left-- === 0 ? leaf : value
  if (Array.isArray(value)) return value.map(entry => withLeaf(entry, number, leaf))
  // defineProperty and not assignment: a name may be __proto__
  return Object.entries(value).reduce<object>((copy, [name, entry]) => Object.defineProperty(copy, name, {
    value: withLeaf(entry, number, leaf), enumerable: true
  }), {})
}

function countLeaves (value: unknown): number {
  if (value === null || typeof value !== 'object') return 1
  return Math.max(1, Object.values(value).reduce<number>((sum, entry) => sum + countLeaves(entry), 0))
}

const anyString = fc.string({ unit: fc.nat(0xffff).map(code => String.fromCharCode(code)), maxLength: 8 })
const aValue = fc.oneof(fc.jsonValue({ depthSize: 'small' }), fc.dictionary(anyString, fc.jsonValue()), anyString)

t.test('what JSON.parse takes is readable, and nothing else is', async () => {
  const damage = fc.record({
    at: fc.nat(),
    cut: fc.nat(2),
    put: fc.string({ unit: fc.constantFrom(...'{}[]:,"\\/bfnrtu0123456789+-.eE \n\ttruefalsnd\u0000\u00a0'), maxLength: 3 })
  })
  fc.assert(fc.property(aValue, fc.integer(), fc.array(damage, { maxLength: 2 }), (value, seed, damages) => {
    let text = holding(write(value, choices(seed)))
    const fixed = holding('').length - 1
    for (const { at, cut, put } of damages) {
      const from = fixed + at % (text.length - fixed + 1)
      text = text.slice(0, from) + put + text.slice(from + cut)
    }
    const { kind } = readIdentity(Buffer.from(text), [])
    return (kind === 'readable') === parses(text)
  }), { numRuns: 3_000 })
})

t.test('numbers are taken as JSON.parse takes them', async () => {
  const numberish = fc.string({ unit: fc.constantFrom(...'0123456789+-.eE'), maxLength: 7 })
  fc.assert(fc.property(numberish, text =>
    (readIdentity(Buffer.from(holding(text)), []).kind === 'readable') === parses(text)), { numRuns: 3_000 })
})

t.test('strings are taken as JSON.parse takes them', async () => {
  const stringish = fc.string({ unit: fc.constantFrom(...'\\"/bfnrtuU0aF9 \u0000\u001f\u007fé'), maxLength: 9 })
  fc.assert(fc.property(stringish, text =>
    (readIdentity(Buffer.from(holding(`"${text}"`)), []).kind === 'readable') === parses(holding(`"${text}"`))), { numRuns: 3_000 })
})

t.test('order of names, white space and escapes never change the digest', async () => {
  fc.assert(fc.property(aValue, fc.integer(), fc.integer(), (value, one, other) =>
    digestOf(holding(write(value, choices(one)))) === digestOf(holding(write(value, choices(other))))), RUNS)
})

t.test('any other leaf changes the digest', async () => {
  const aLeaf = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), anyString, fc.boolean(), fc.constant(null))
  fc.assert(fc.property(aValue, fc.nat(), aLeaf, fc.integer(), (value, at, leaf, seed) => {
    const changed = withLeaf(value, { left: at % countLeaves(value) }, leaf)
    fc.pre(JSON.stringify(changed) !== JSON.stringify(value))
    return digestOf(holding(write(value, choices(seed)))) !== digestOf(holding(write(changed, choices(seed))))
  }), RUNS)
})

t.test('no bytes make it throw', async () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
    readIdentity(Buffer.from(bytes), [])
  }), { numRuns: 1_000 })
})
