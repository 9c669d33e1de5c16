/**
 * Who wants a body: fields by their paths, values by their text, one pass for
 * all subscribers.
 */
import fc from 'fast-check'
import t from '../support/tap.js'
import { readIdentity } from '../../src/accept/identity.js'
import { matchBody } from '../../src/accept/match-body.js'
import { FIELD_OF, type Match } from '../../src/model/match.js'
import { createMatcher, type Matcher } from '../../src/model/matcher.js'

/** A body as it stands, with what every callback has in front. */
const withFields = (text: string): Buffer => Buffer.from(`{"taskId":"t1","status":"1","type":"avatar"${text === '' ? '' : ','}${text}}`)

const AVATARS = '"avatarResult":[{"templateId":"d69c","images":[{"url":"https://a/1"},{"url":"https://a/2"}]},{"templateId":12345678901234567890,"images":[]}],"resultUrl":"","hasHsfw":false,"credits":1.50,"none":null,"object":{"deep":{"er":"down"}}'

const TABLE: ReadonlyArray<[says: string, match: Match, body: string, wants: boolean]> = [
  ['nothing said wants everything', {}, '', true],
  ['empty lists want everything', { types: [], statuses: [], businessIds: [], fields: { 'a[].b': [] } }, '', true],

  ['a type', { types: ['video', 'avatar'] }, '', true],
  ['another type', { types: ['Avatar'] }, '', false],
  ['the start of a type', { types: ['ava*'] }, '', true],
  ['a status that is a text', { statuses: [1] }, '', true],
  ['another status', { statuses: [2, 11] }, '', false],
  ['a businessId', { businessIds: ['b1'] }, '"businessId":"b1"', true],
  ['a businessId that is a number', { businessIds: ['123'] }, '"businessId":123', true],
  ['the start of a businessId', { businessIds: ['team-*'] }, '"businessId":"team-7"', true],
  ['no businessId', { businessIds: ['b1'] }, '', false],
  ['the same fields by their paths', { fields: { type: ['ava*'], status: ['1'], taskId: ['t*'], businessId: ['b1'] } }, '"businessId":"b1"', true],
  ['a status by its path that is another', { fields: { status: ['0'] } }, '', false],

  ['a field inside a list', { fields: { 'avatarResult[].templateId': ['d69c'] } }, AVATARS, true],
  ['the start of one', { fields: { 'avatarResult[].templateId': ['d69*'] } }, AVATARS, true],
  ['one of several values', { fields: { 'avatarResult[].templateId': ['x', 'y*', 'd69c'] } }, AVATARS, true],
  ['none of them', { fields: { 'avatarResult[].templateId': ['d69', 'd69c0*'] } }, AVATARS, false],
  ['a number by its text', { fields: { 'avatarResult[].templateId': ['12345678901234567890'] } }, AVATARS, true],
  ['the number that a double makes of it', { fields: { 'avatarResult[].templateId': ['12345678901234567000'] } }, AVATARS, false],
  ['a neighbour that is the same double', { fields: { 'avatarResult[].templateId': ['12345678901234567891'] } }, AVATARS, false],
  ['the digits as they stand', { fields: { credits: ['1.50'] } }, AVATARS, true],
  ['the same value in other digits', { fields: { credits: ['1.5'] } }, AVATARS, false],
  ['true and false', { fields: { hasHsfw: ['false'] } }, AVATARS, true],
  ['a list in a list', { fields: { 'avatarResult[].images[].url': ['https://a/2'] } }, AVATARS, true],
  ['a list of texts', { fields: { 'tags[]': ['b'] } }, '"tags":["a","b"]', true],
  ['a list of lists', { fields: { 'tags[][]': ['b'] } }, '"tags":[["a"],[["x"],"b"]]', true],
  ['a list where the path has none', { fields: { tags: ['b'] } }, '"tags":["a","b"]', false],
  ['no list where the path has one', { fields: { 'tags[]': ['b'] } }, '"tags":"b"', false],
  ['objects in objects', { fields: { 'object.deep.er': ['down'] } }, AVATARS, true],
  ['a path that ends too early', { fields: { 'object.deep': ['*'] } }, AVATARS, false],
  ['a path that is absent', { fields: { 'object.deep.nothing': ['*'] } }, AVATARS, false],
  ['null', { fields: { none: ['*', 'null'] } }, AVATARS, false],
  ['an empty text, when any value will do', { fields: { resultUrl: ['*'] } }, AVATARS, true],
  ['a name of every object', { fields: { constructor: ['*'], ['__proto__']: ['*'] } }, '', false],
  ['a name that is written with escapes', { fields: { credits: ['a*'] } }, '"cr\\u0065dits":"\\u0061\\n"', true],
  ['a name that is there twice: either value', { fields: { x: ['1'] } }, '"x":1,"x":2', true],

  ['several fields, which all fit', { types: ['avatar'], fields: { hasHsfw: ['false'], 'avatarResult[].templateId': ['d*'] } }, AVATARS, true],
  ['several fields, of which one does not', { types: ['avatar'], fields: { hasHsfw: ['true'], 'avatarResult[].templateId': ['d*'] } }, AVATARS, false],
  ['several fields, of which one is absent', { fields: { hasHsfw: ['false'], msg: ['*'] } }, AVATARS, false]
]
for (const [says, match, body, wants] of TABLE) {
  t.test(`${says}: ${wants ? 'is wanted' : 'is not wanted'}`, async t => {
    t.equal(matchBody(createMatcher([match]), withFields(body)), wants)
    t.equal(matchBody(createMatcher([match]), withFields(body.replaceAll('":', '" :\n '))), wants, 'however it is laid out')
  })
}

t.test('of what is no callback nobody can say', async t => {
  const matcher = createMatcher([{ fields: { a: ['1'] } }])
  for (const text of ['', '[{"a":1}]', '{"a":1}', '{"taskId":"t1","status":1,"type":"avatar","a":1', '{"taskId":"t1","status":1,"type":"avatar","a":1,}']) {
    t.equal(matchBody(matcher, Buffer.from(text)), null, text)
  }
})

t.test('each key of a match is read from the field that it stands for', async t => {
  for (const [key, path] of Object.entries(FIELD_OF)) {
    const text = JSON.stringify({ taskId: 't1', status: 1, type: 'avatar', businessId: 'b1', [path]: 7 }).replace('"type":7', '"type":"7"')
    t.equal(matchBody(createMatcher([{ [key]: ['7'] }]), Buffer.from(text)), true, key)
    t.equal(matchBody(createMatcher([{ [key]: ['8'] }]), Buffer.from(text)), false, key)
  }
})

/** Who wants a body, by name of the matches. */
function wantedBy (matcher: Matcher, body: Buffer): number[] {
  const look = matcher.begin()
  const reading = readIdentity(body, [], look)
  return reading.kind === 'readable' ? look.wantedBy(reading.identity) : []
}

t.test('many subscribers are asked at once, and nobody\'s answer is another\'s', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '\u{1f600}'), maxLength: 4 })
  const pattern = fc.oneof(text.filter(value => value !== ''), text.map(value => value + '*'))
  const fields = fc.dictionary(fc.constantFrom('x', 'y[]', 'y[].z', 'type'), fc.array(pattern, { maxLength: 4 }), { noNullPrototype: true })
  const body = fc.record({ x: text, y: fc.array(fc.oneof(text, text.map(z => ({ z }))), { maxLength: 4 }), type: text.map(value => value + 'a') })
  const naive = (wanted: Record<string, string[]>, { x, y, type }: { x: string, y: Array<string | { z: string }>, type: string }): boolean => {
    const values: Record<string, string[]> = {
      x: [x], type: [type], 'y[]': y.filter(entry => typeof entry === 'string'), 'y[].z': y.flatMap(entry => typeof entry === 'string' ? [] : [entry.z])
    }
    return Object.entries(wanted).every(([path, patterns]) => patterns.length === 0 || values[path]!.some(value =>
      patterns.some(pattern => pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : value === pattern)))
  }
  fc.assert(fc.property(fc.array(fields, { maxLength: 6 }), fc.array(body, { minLength: 1, maxLength: 3 }), (matches, bodies) => {
    const matcher = createMatcher(matches.map(fields => ({ fields })))
    for (const body of bodies) {
      const wanted = matches.flatMap((match, at) => naive(match, body) ? [at] : [])
      if (String(wantedBy(matcher, Buffer.from(JSON.stringify({ ...body, taskId: 't', status: 1 })))) !== String(wanted)) return false
    }
    return true
  }), { numRuns: 500 })
})

t.test('a value is looked at once, however many subscribers ask for it, and by however many patterns', async t => {
  const matches = Array.from({ length: 200 }, (_, n): Match => ({ fields: { 'list[]': [`${n}*`, `v${n}`], 'list[].id': ['a*'], [`f${n}`]: ['x'] } }))
  const matcher = createMatcher(matches)
  const look = matcher.begin()
  let looks = 0
  const values = Array.from({ length: 1_000 }, (_, n) => n % 2 === 0 ? n : { id: 'b', other: [n, n], f1: 'x' })
  readIdentity(withFields(`"list":${JSON.stringify(values)},"f0":"x","else":"x"`), [], {
    tree: look.tree,
    found (end, value) { looks++; look.found(end, value) }
  })
  t.equal(looks, 1_001, 'those of list[] and list[].id, and f0')
})

t.test('a body of many values costs about as much with a thousand prefixes as with one', async t => {
  const compared = (prefixes: number): number => {
    const matcher = createMatcher([{ fields: { 'x[]': Array.from({ length: prefixes }, (_, n) => `k${n}x*`) } }])
    const look = matcher.begin()
    let count = 0
    for (let n = 0; n < 100; n++) {
      // Stands for a text, and counts how often it is compared.
      const value = { startsWith: () => { count++; return false }, [Symbol.toPrimitive]: () => { count++; return `k${n}` } }
      look.found(0, value as unknown as string)
    }
    return count
  }
  t.ok(compared(1_000) <= 20 * compared(1), `${compared(1_000)} and ${compared(1)} comparisons`)
})
