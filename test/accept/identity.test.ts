/**
 * What counts as a usable callback, and which two callbacks are the same one:
 * the tables of `identity`, line by line.
 */
import t from '../support/tap.js'
import { readdirSync, readFileSync } from 'node:fs'
import { readIdentity, type Identity } from '../../src/accept/identity.js'

const SAMPLES = new URL('../samples/', import.meta.url)

function identityOf (text: string | Buffer, ignoreFields: string[] = []): Identity {
  const reading = readIdentity(Buffer.from(text), ignoreFields)
  if (reading.kind !== 'readable') throw new Error(`unreadable: ${reading.field} ${reading.problem}`)
  return reading.identity
}

/** A callback with these other fields, as JSON text. */
function withFields (more = ''): string {
  return `{"taskId":"t1","status":1,"type":"avatar"${more === '' ? '' : ','}${more}}`
}

/** A callback of so many objects and arrays within one another, itself the first. */
function nested (levels: number, open: '[' | '{"a":' = '['): string {
  const innermost = open === '[' ? '[]' : '{}'
  return withFields(`"x":${open.repeat(levels - 2)}${innermost}${(open === '[' ? ']' : '}').repeat(levels - 2)}`)
}

t.test('every sample is readable, and each is another event', async t => {
  const files = readdirSync(SAMPLES).filter(name => name.endsWith('.json'))
  t.ok(files.length >= 9)
  const digests = new Set<string>()
  for (const file of files) {
    const body = readFileSync(new URL(file, SAMPLES))
    const { taskId, status, type, businessId, digest } = identityOf(body)
    const parsed = JSON.parse(body.toString()) as Record<string, unknown>
    t.equal(taskId, parsed.taskId, file)
    t.equal(status, Number(parsed.status), file)
    t.equal(type, parsed.type, file)
    t.equal(businessId, parsed.businessId ?? null, file)
    t.match(digest, /^[\w-]{22}$/, file)
    digests.add(`${taskId} ${status} ${digest}`)
  }
  t.equal(digests.size, files.length)
})

const READABLE: ReadonlyArray<[says: string, body: string, is: Partial<Identity>]> = [
  ['a status as a string is its number', '{"taskId":"a","status":"1","type":"b"}', { status: 1 }],
  ['a negative status', '{"taskId":"a","status":-1,"type":"b"}', { status: -1 }],
  ['minus zero is zero', '{"taskId":"a","status":"-0","type":"b"}', { status: 0 }],
  ['an unknown status', '{"taskId":"a","status":40404,"type":"b"}', { status: 40404 }],
  ['an escaped taskId is decoded', '{"taskId":"caf\\u00e9 \\"x\\"","status":1,"type":"b"}', { taskId: 'café "x"' }],
  ['an escaped name is decoded', '{"task\\u0049d":"a","status":1,"type":"b"}', { taskId: 'a' }],
  ['a taskId of 256 characters', `{"taskId":"${'x'.repeat(256)}","status":1,"type":"b"}`, { taskId: 'x'.repeat(256) }],
  ['characters are code points', `{"taskId":"${'😀'.repeat(256)}","status":1,"type":"b"}`, { taskId: '😀'.repeat(256) }],
  ['a type of 128 characters', `{"taskId":"a","status":1,"type":"${'x'.repeat(128)}"}`, { type: 'x'.repeat(128) }],
  ['spaces and colons may be in a taskId', '{"taskId":" a:b/../ ","status":1,"type":"b"}', { taskId: ' a:b/../ ' }],
  ['names of the prototype are only names', '{"taskId":"__proto__","status":1,"type":"constructor","__proto__":1}', { taskId: '__proto__' }],
  ['a businessId that is no string is none', withFields('"businessId":7'), { businessId: null }],
  ['a businessId of 256 characters is one', withFields(`"businessId":"${'😀'.repeat(256)}"`), { businessId: '😀'.repeat(256) }],
  ['a longer businessId is none', withFields(`"businessId":"${'a'.repeat(257)}"`), { businessId: null }],
  ['an empty businessId is one', withFields('"businessId":""'), { businessId: '' }],
  ['the last of two businessIds, as parsers have it', withFields('"businessId":"a","businessId":"b"'), { businessId: 'b' }],
  ['white space around everything', ' \t\r\n{ "taskId" : "a" , "status" : 1 , "type" : "b" } \n', { taskId: 'a' }],
  ['a byte order mark is passed over', '\ufeff' + withFields(), { taskId: 't1' }],
  ['a lone surrogate in another field', withFields('"x":"\\ud800"'), { taskId: 't1' }],
  ['64 arrays within one another', nested(64), { taskId: 't1' }],
  ['64 objects within one another', nested(64, '{"a":'), { taskId: 't1' }]
]
for (const [says, body, is] of READABLE) {
  t.test(`readable: ${says}`, async t => { t.match(identityOf(body), is) })
}

const UNREADABLE: ReadonlyArray<[says: string, body: string | Buffer, field: string | null, problem: RegExp]> = [
  ['nothing', '', null, /JSON object/],
  ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), null, /UTF-8/],
  ['UTF-8 that encodes a surrogate', Buffer.from('{"a":"\xed\xa0\x80"}', 'latin1'), null, /UTF-8/],
  ['UTF-16', Buffer.from(withFields(), 'utf16le'), null, /JSON object/],
  ['two byte order marks', '\ufeff\ufeff' + withFields(), null, /at character 1/],
  ['a text that stops', withFields().slice(0, -1), null, /does not go on or end/],
  ['text after the end', withFields() + '}', null, /after the end/],
  ['two objects', withFields() + withFields(), null, /after the end/],
  ['an array', '[{"taskId":"a","status":1,"type":"b"}]', null, /not an object/],
  ['a string', '"taskId"', null, /not an object/],
  ['a broken array', '[1,]', null, /no value/],
  ['65 arrays within one another', nested(65), null, /more than 64/],
  ['65 objects within one another', nested(65, '{"a":'), null, /more than 64/],
  ['a hundred thousand of them', withFields('"x":' + '['.repeat(100_000)), null, /more than 64/],
  ['single quotes', "{'taskId':'a'}", null, /no string/],
  ['a comment', withFields('"x":1/**/'), null, /does not go on or end/],
  ['a raw line feed in a string', withFields('"x":"a\nb"'), null, /control character/],
  ['NaN', withFields('"x":NaN'), null, /no value/],
  ['no taskId', '{"status":1,"type":"b"}', 'taskId', /missing/],
  ['no status', '{"taskId":"a","type":"b"}', 'status', /missing/],
  ['no type', '{"taskId":"a","status":1}', 'type', /missing/],
  ['names are case-sensitive', '{"taskID":"a","status":1,"type":"b"}', 'taskId', /missing/],
  ['a taskId that is a number', '{"taskId":1,"status":1,"type":"b"}', 'taskId', /must be a string/],
  ['a taskId that is null', '{"taskId":null,"status":1,"type":"b"}', 'taskId', /must be a string/],
  ['an empty taskId', '{"taskId":"","status":1,"type":"b"}', 'taskId', /empty/],
  ['a taskId of 257 characters', `{"taskId":"${'x'.repeat(257)}","status":1,"type":"b"}`, 'taskId', /longer than 256/],
  ['257 code points', `{"taskId":"${'😀'.repeat(257)}","status":1,"type":"b"}`, 'taskId', /longer than 256/],
  ['a line feed in a taskId', '{"taskId":"a\\nb","status":1,"type":"b"}', 'taskId', /control/],
  ['DEL in a taskId', '{"taskId":"a\u007f","status":1,"type":"b"}', 'taskId', /control/],
  ['C1 in a taskId', '{"taskId":"a\u0085","status":1,"type":"b"}', 'taskId', /control/],
  ['a lone surrogate in a taskId', '{"taskId":"\\ud800","status":1,"type":"b"}', 'taskId', /surrogate/],
  ['a taskId twice', '{"taskId":"a","taskId":"a","status":1,"type":"b"}', 'taskId', /twice/],
  ['a taskId twice, once escaped', '{"taskId":"a","\\u0074askId":"a","status":1,"type":"b"}', 'taskId', /twice/],
  ['a status twice', '{"taskId":"a","status":1,"status":2,"type":"b"}', 'status', /twice/],
  ['a type twice', '{"taskId":"a","status":1,"type":"b","type":"b"}', 'type', /twice/],
  ['a status with a fraction', '{"taskId":"a","status":1.0,"type":"b"}', 'status', /integer/],
  ['a status with an exponent', '{"taskId":"a","status":1e0,"type":"b"}', 'status', /integer/],
  ['a status string with a space', '{"taskId":"a","status":" 1","type":"b"}', 'status', /integer/],
  ['a status string with a leading zero', '{"taskId":"a","status":"01","type":"b"}', 'status', /integer/],
  ['an empty status', '{"taskId":"a","status":"","type":"b"}', 'status', /integer/],
  ['a status that is a word', '{"taskId":"a","status":"done","type":"b"}', 'status', /integer/],
  ['a status that is true', '{"taskId":"a","status":true,"type":"b"}', 'status', /integer/],
  ['a status in an array', '{"taskId":"a","status":[1],"type":"b"}', 'status', /integer/],
  ['a status beyond 53 bits', '{"taskId":"a","status":9007199254740993,"type":"b"}', 'status', /53 bits/],
  ['an empty type', '{"taskId":"a","status":1,"type":""}', 'type', /empty/],
  ['a type of 129 characters', `{"taskId":"a","status":1,"type":"${'x'.repeat(129)}"}`, 'type', /longer than 128/],
  ['a type with a control character', '{"taskId":"a","status":1,"type":"\\u0000"}', 'type', /control/]
]
for (const [says, body, field, problem] of UNREADABLE) {
  t.test(`unreadable: ${says}`, async t => {
    const reading = readIdentity(Buffer.from(body), [])
    t.match(reading, { kind: 'unreadable', field, problem })
  })
}

t.test('a problem never quotes the body', async t => {
  const bodies = ['{"taskId":"SECRET\\n","status":1,"type":"b"}', '{"SECRET', '{"taskId":"a","status":"SECRET","type":"b"}', 'SECRET']
  for (const body of bodies) t.notMatch(JSON.stringify(readIdentity(Buffer.from(body), [])), /SECRET/)
})

const SAME: ReadonlyArray<[says: string, one: string, other: string]> = [
  ['another order of fields', withFields('"a":1,"b":2'), '{"b":2,"type":"avatar","a":1,"status":1,"taskId":"t1"}'],
  ['another order of nested fields', withFields('"x":[{"a":1,"b":2}]'), withFields('"x":[{"b":2,"a":1}]')],
  ['white space', withFields('"x":[1,{"a":"b"}]'), withFields(' "x" :\n[ 1 ,\t{ "a" : "b" } ]\r\n')],
  ['escapes', withFields('"x":"café/😀"'), withFields('"x":"caf\\u00E9\\/\\ud83d\\ude00"')],
  ['escaped names', withFields('"é":1,"b":2'), withFields('"b":2,"\\u00e9":1')],
  ['an empty object with space in it', withFields('"x":{}'), withFields('"x":{ }')],
  ['a byte order mark', withFields(), '\ufeff' + withFields()],
  ['the taskId, which is not content', withFields(), withFields().replace('t1', 't2')],
  ['the status, which is not content', withFields(), withFields().replace(':1', ':"2"')]
]
for (const [says, one, other] of SAME) {
  t.test(`the same content but for ${says}`, async t => { t.equal(identityOf(one).digest, identityOf(other).digest) })
}

const DIFFERENT: ReadonlyArray<[says: string, one: string, other: string]> = [
  ['numbers that most parsers take for one', withFields('"x":12345678901234567890'), withFields('"x":12345678901234567891')],
  ['1 and 1.0', withFields('"x":1'), withFields('"x":1.0')],
  ['1 and "1"', withFields('"x":1'), withFields('"x":"1"')],
  ['null and an absent field', withFields('"x":null'), withFields()],
  ['null and "null"', withFields('"x":null'), withFields('"x":"null"')],
  ['an empty string and null', withFields('"x":""'), withFields('"x":null')],
  ['an empty array and an empty object', withFields('"x":[]'), withFields('"x":{}')],
  ['another order in an array', withFields('"x":[1,2]'), withFields('"x":[2,1]')],
  ['two halves of a surrogate pair', withFields('"x":"\\ud800"'), withFields('"x":"\\ud801"')],
  ['a lone surrogate and its replacement character', withFields('"x":"\\ud800"'), withFields('"x":"\ufffd"')],
  ['a lone surrogate and the text of its escape', withFields('"x":"\\ud800"'), withFields('"x":"\\\\ud800"')],
  ['another type', withFields(), withFields().replace('avatar', 'Avatar')],
  ['a composed and a decomposed letter', withFields('"x":"\u00e9"'), withFields('"x":"e\u0301"')],
  ['a repeated name and a single one', withFields('"x":{"a":1,"a":1}'), withFields('"x":{"a":1}')],
  ['the order of repeated names', withFields('"x":{"a":1,"a":2}'), withFields('"x":{"a":2,"a":1}')],
  ['white space in an object with a repeated name', withFields('"x":{"a":1,"a":2}'), withFields('"x":{"a":1, "a":2}')],
  ['a repeated name at the top', withFields('"x":1,"x":2'), withFields('"x":2,"x":1')],
  ['a value moved one level up', withFields('"x":{"a":1,"b":2}'), withFields('"x":{"a":1},"b":2')],
  ['what looks like the canonical text in a string', withFields('"x":"1,\\"y\\":2"'), withFields('"x":1,"y":2')]
]
for (const [says, one, other] of DIFFERENT) {
  t.test(`other content: ${says}`, async t => { t.not(identityOf(one).digest, identityOf(other).digest) })
}

t.test('fields to ignore do not count, at the top level only', async t => {
  const ignore = ['updateTime']
  const plain = identityOf(withFields('"x":1'), ignore).digest
  t.equal(identityOf(withFields('"x":1,"updateTime":5'), ignore).digest, plain)
  t.equal(identityOf(withFields('"updateTime":[6],"x":1,"updateTime":7'), ignore).digest, plain, 'even when repeated')
  t.not(identityOf(withFields('"x":1,"updateTime":5')).digest, plain)
  t.not(identityOf(withFields('"x":{"updateTime":5}'), ignore).digest, identityOf(withFields('"x":{"updateTime":6}'), ignore).digest)
})

t.test('a digest is the same in every release: claims outlive a restart', async t => {
  t.equal(identityOf(readFileSync(new URL('avatar.json', SAMPLES))).digest, 'y2XGoPnLbDp0LvdFAnd7YQ')
})
