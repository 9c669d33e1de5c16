/**
 * What the linter must catch and what it must let pass, as small files. Each
 * plant breaks one rule and no other; each clean sample comes close to a rule
 * and keeps it.
 */

/** A file of the fixture tree; its path is relative to the tree's root, as if that were the project's. */
export interface Sample {
  path: string
  code: string
}

export interface Plant extends Sample {
  /** The rule that must be reported, and no other. */
  rule: string
}

/** The glossary that the samples are judged by: one word that means something, one that is old, and what the other samples are made of. */
export const GLOSSARY = `# Glossary

| word | means |
|---|---|
| **event**, **sent** | a sample's word; **delivery** is another |

## General words

\`\`\`
a, accept, admin, again, alert, another, answer, any, anything, arrow, await, b, bullmq, c, callback, cli,
client, command, commander, comment, common, config, configure, console, content, declare, deliver, disable,
downstream, driver, egg, exhaustive, expect, export, fact, fastify, fetch, file, float, four, from, full,
function, gateway, helper, hen, ignore, import, ingest, inline, ioredis, itself, key, late, lib, line, load,
long, main, manager, misuse, model, nest, nocheck, not, of, old, one, only, option, other, outbound,
parameter, pino, plugin, quarantine, query, queue, record, redis, replay, result, schema, service, shebang,
short, spelling, step, stray, telemetry, thenable, three, to, two, type, undici, undocumented, unheard,
upstream, use, util, void, watch, yaml
\`\`\`

## Old word → new word

| old word | new word |
|---|---|
| lane | connection |
`

const OPENING = '/**\n * A sample for the linter, judged and never run.\n */\n'
const lines = (count: number, line: (n: number) => string) => Array.from({ length: count }, (_, n) => line(n)).join('\n')

/** A file that opens as it should; `code` follows. */
const file = (path: string, code: string): Sample => ({ path, code: `${OPENING}${code}\n` })
const plant = (rule: string, path: string, code: string): Plant => ({ rule, ...file(path, code) })

/** An import that must be refused: [the folder it stands in, what it imports]. */
const UPSTREAM: ReadonlyArray<[from: string, to: string]> = [
  ['model', '../record/store.js'],
  ['redis', '../record/store.js'],
  ['config', '../redis/keys.js'],
  ['telemetry', '../config/config.js'],
  ['outbound', '../redis/keys.js'],
  ['record', '../queue/add.js'],
  ['queue', '../record/store.js'],
  ['accept', '../deliver/pipeline.js'],
  ['accept', '../ingest/listener.js'],
  ['deliver', '../queue/worker.js'],
  ['deliver', '../redis/keys.js'],
  ['ingest', '../deliver/pipeline.js'],
  ['ingest', '../quarantine/keep.js'],
  ['quarantine', '../replay/select.js'],
  ['replay', '../deliver/pipeline.js'],
  ['alerts', '../admin/routes.js'],
  ['admin', '../redis/keys.js'],
  ['cli', '../record/store.js'],
  ['cli', '../gateway.js'],
  ['cli', '../gateway/storage.js'],
  ['record', '../main.js'],
  ['record', '../../test/support/redis.js']
]

/** An import that is fine for a type, and for nothing that runs. */
const TYPES_ONLY: ReadonlyArray<[from: string, to: string]> = [
  ['ingest', '../config/config.js'],
  ['ingest', '../redis/script.js'],
  ['redis', '../config/config.js'],
  ['admin', '../accept/accept.js'],
  ['admin', '../alerts/notifier.js'],
  ['admin', '../config/config.js'],
  ['cli', '../admin/answers.js']
]

/** An import that is fine where it stands. */
const DOWNSTREAM: ReadonlyArray<[from: string, to: string]> = [
  ['redis', '../model/errors.js'],
  ['outbound', '../config/config.js'],
  ['record', '../redis/keys.js'],
  ['queue', '../redis/script.js'],
  ['accept', '../queue/add.js'],
  ['deliver', '../outbound/request.js'],
  ['ingest', '../accept/arrival.js'],
  ['quarantine', '../redis/script.js'],
  ['replay', '../queue/add.js'],
  ['admin', '../replay/select.js'],
  ['cli', '../config/load.js'],
  ['record', './store.js']
]

/** A driver, and a place that may not import it. */
const DRIVERS: ReadonlyArray<[driver: string, path: string]> = [
  ['bullmq', 'src/record/uses-bullmq.ts'],
  ['bullmq', 'src/queue/uses-bullmq.ts'],
  ['ioredis', 'src/record/uses-ioredis.ts'],
  ['undici', 'src/deliver/uses-undici.ts'],
  ['yaml', 'src/config/uses-yaml.ts'],
  ['fastify', 'src/cli/uses-fastify.ts'],
  ['@fastify/rate-limit', 'src/cli/uses-fastify-plugin.ts'],
  ['commander', 'src/admin/uses-commander.ts'],
  ['pino', 'src/ingest/uses-pino.ts']
]

const GRAPH_PLANTS = UPSTREAM.map(([from, to], n) =>
  plant('relay/import-graph', `src/${from}/upstream-${n}.ts`, `export { anything } from '${to}'`))

/** What runs, over an edge for types. */
const VALUE_PLANTS = TYPES_ONLY.flatMap(([from, to], n) => [
  plant('relay/import-graph', `src/${from}/event-${n}.ts`, `import { event } from '${to}'\nexport const eventType = event`),
  plant('relay/import-graph', `src/${from}/event-await-${n}.ts`, `await import('${to}')`)
])

/** The same edge in every other spelling. */
const SPELLING_PLANTS = [
  plant('relay/import-graph', 'src/model/spelling-1.ts', "import { a } from '../record/store.js'\nexport const b = a"),
  plant('relay/import-graph', 'src/model/spelling-2.ts', "import type { A } from '../record/store.js'\nexport type B = A"),
  plant('relay/import-graph', 'src/model/spelling-3.ts', "export * from '../record/store.js'"),
  plant('relay/import-graph', 'src/model/spelling-4.ts', "await import('../record/store.js')"),
  plant('relay/import-graph', 'src/model/spelling-5.ts', "import '../record/store.js'"),
  plant('relay/import-graph', 'src/ingest/spelling-6.ts', "import { keysOf } from '../redis/keys.js'\nexport const keys = keysOf('relay')"),
  plant('relay/import-graph', 'src/unheard-of/spelling-7.ts', 'export const a = 1'),
  plant('relay/import-graph', 'src/gateway/spelling-8.ts', "import '../main.js'"),
  plant('relay/import-graph', 'src/stray.ts', 'export const a = 1')
]

const DRIVER_PLANTS = DRIVERS.map(([driver, path]) =>
  plant('relay/driver-site', path, `export type * from '${driver}'`))

const SHAPE_PLANTS = [
  plant('max-lines', 'src/model/long-file.ts', lines(251, n => `export const a${n} = ${n}`)),
  plant('max-lines-per-function', 'src/model/long-function.ts',
    `export const steps: number[] = []\nfunction long () {\n${lines(49, n => `  steps.push(${n})`)}\n}\nlong()`),
  plant('max-params', 'src/model/four-parameters.ts',
    '/** Four. */\nexport function four (a: number, b: number, c: number, d: number): number {\n  return a + b + c + d\n}'),
  plant('jsdoc/require-jsdoc', 'src/model/undocumented.ts',
    'const one = 1\nexport function two (): number {\n  return one + 1\n}'),
  plant('jsdoc/require-jsdoc', 'src/model/undocumented-arrow.ts', 'const one = 1\nexport const two = (): number => one + 1'),
  { rule: 'relay/opening-comment', path: 'src/model/line-comment.ts', code: '// A line is no block, however much it says.\nexport const a = 1\n' },
  { rule: 'relay/opening-comment', path: 'src/model/late-comment.ts', code: 'export const a = 1\n/* Too late to be the first thing that a reader meets. */\n' },
  { rule: 'relay/opening-comment', path: 'src/model/short-comment.ts', code: '/** Events. */\nexport const a = 1\n' },
  { rule: 'relay/opening-comment', path: 'test/support/no-comment.ts', code: 'export const a = 1\n' },
  ...['src/record/utils/a.ts', 'src/record/helpers.ts', 'src/redis/redis-helper.ts', 'src/record/common.ts', 'src/record/lib/a.ts',
    'src/config/types.ts', 'src/record/services/a.ts', 'src/queue/queue-manager.ts', 'test/helpers/a.ts', 'test/misc.test.ts'
  ].map(path => plant('relay/domain-names', path, 'export const a = 1'))
]

const NEVER_PLANTS = [
  plant('relay/no-cycle', 'src/model/hen.ts', "import { egg } from './egg.js'\nexport const hen = [egg]"),
  plant('relay/no-cycle', 'src/model/egg.ts', "import {\n  nest\n} from './nest.js'\nexport const egg = [nest]"),
  plant('relay/no-cycle', 'src/model/nest.ts', "/** Loads. */\nexport const nest = async (): Promise<unknown> => await import('./hen.js')"),
  plant('relay/no-cycle', 'src/model/one.ts', "import type { Other } from './other.js'\nexport interface One { other: Other }"),
  plant('relay/no-cycle', 'src/model/other.ts', "import type { One } from './one.js'\nexport interface Other { one: One }"),
  plant('relay/no-cycle', 'src/model/itself.ts', "import { b } from './itself.js'\nexport const a = [b]"),
  plant('no-void', 'src/model/void.ts', 'export const a = void 0'),
  plant('@typescript-eslint/no-explicit-any', 'src/model/any.ts', 'export const a: any = 1'),
  plant('@typescript-eslint/ban-ts-comment', 'src/model/ignore.ts', '// @ts-ignore: said with a reason\nexport const a: string = 1'),
  plant('@typescript-eslint/ban-ts-comment', 'src/model/expect.ts', '// @ts-expect-error: said with a reason\nexport const a: string = 1'),
  plant('@typescript-eslint/ban-ts-comment', 'src/model/nocheck.ts', '// @ts-nocheck: said with a reason\nexport const a: string = 1'),
  plant('relay/no-lint-comments', 'src/model/disabled.ts', '/* eslint-disable */\nexport const a = 1'),
  plant('relay/no-lint-comments', 'src/model/disabled-line.ts', '// eslint-disable-next-line no-restricted-globals\nexport const a = 1'),
  plant('relay/no-lint-comments', 'src/model/configured.ts', '/* eslint no-restricted-globals: 0 */\nexport const a = 1'),
  plant('no-console', 'src/model/console.ts', "console.log('anything')"),
  plant('no-restricted-imports', 'src/redis/unheard.ts', "import { userInfo } from 'node:os'\n\nexport const answer = userInfo()"),
  plant('no-restricted-properties', 'src/model/content.ts', 'export const content = process.stdout.isTTY'),
  plant('no-restricted-globals', 'src/deliver/fetches.ts', "export const answer = await fetch('http://127.0.0.1')")
]

const TYPED_PLANTS = [
  plant('@typescript-eslint/no-floating-promises', 'src/model/floating.ts', 'async function a () {}\na()'),
  plant('@typescript-eslint/no-floating-promises', 'test/model/floating.test.ts',
    "import t from 'tap'\nt.test('says', async t => { t.rejects(async () => {}) })"),
  plant('@typescript-eslint/no-misused-promises', 'src/model/misused.ts', 'async function a () { return true }\nif (a()) process.exitCode = 1'),
  plant('@typescript-eslint/no-misused-promises', 'src/model/misused-callback.ts', "process.on('SIGTERM', async () => {})"),
  plant('@typescript-eslint/await-thenable', 'src/model/thenable.ts', 'export const a = await 1'),
  plant('@typescript-eslint/consistent-type-imports', 'src/model/type-import.ts', "import { Socket } from 'node:net'\nexport type A = Socket"),
  plant('@typescript-eslint/consistent-type-imports', 'src/model/type-inline.ts', "export type A = import('node:net').Socket"),
  plant('@typescript-eslint/switch-exhaustiveness-check', 'src/model/exhaustive.ts',
    "declare const kind: 'a' | 'b'\nswitch (kind) {\n  case 'a': process.exitCode = 1\n}")
]

const TEST_PLANTS = [
  ...["t.only('says', async () => {})", "t.skip('says', async () => {})", "t.todo('says')",
    "t.test('says', { only: true }, async () => {})", "t.test('says', { skip: 'later' }, async () => {})"
  ].map((code, n) => plant('no-restricted-syntax', `test/model/unfinished-${n}.test.ts`, `import t from 'tap'\n${code}`)),
  ...["import { setTimeout } from 'node:timers/promises'\nawait setTimeout(10)",
    "import { setTimeout as pass } from 'node:timers/promises'\nawait pass(10)",
    "import timers from 'node:timers/promises'\nawait timers.setTimeout(10)",
    'const sleep = async (ms: number) => { await Promise.resolve(ms) }\nawait sleep(10)',
    'await new Promise(resolve => setTimeout(resolve, 10))',
    'await new Promise<void>(resolve => { setTimeout(resolve, 10) })',
    'await new Promise<void>(resolve => { setTimeout(() => { resolve() }, 10) })',
    'await new Promise<void>(resolve => {\n  const timer = setTimeout(() => resolve(), 10)\n  timer.unref()\n})'
  ].map((code, n) => plant('relay/no-sleep', `test/model/sleeps-${n}.test.ts`, code))
]

const UNLISTED = 'relay/glossary-words'
const GLOSSARY_PLANTS = [
  plant(UNLISTED, 'src/record/gizmos/a.ts', 'export const a = 1'),
  plant(UNLISTED, 'src/record/event-gizmo.ts', 'export const a = 1'),
  ...['function eventGizmo () {}', 'class EventGizmo {}', 'const [a, { b: gizmo }] = [1, { b: 2 }]', 'const GIZMO_A = 1', 'type Gizmo = string',
    'interface GizmoA { a: string }', 'enum Gizmo { A }', 'default class Gizmo {}'
  ].map((declared, n) => plant(UNLISTED, `src/record/declares-${n}.ts`, `/** One. */\nexport ${declared}`)),
  plant(UNLISTED, 'src/record/exports.ts', 'const a = 1\nexport { a as gizmo }'),
  plant(UNLISTED, 'src/record/exports-again.ts', "export { gizmo } from './long-file.js'"),
  plant(UNLISTED, 'src/model/fact.ts', "export type Fact = { fact: 'event.a' } | { fact: 'event.gizmo' }"),
  plant(UNLISTED, 'src/model/facts.ts', "export type Fact = { fact: 'event.a' | 'gizmo.a', one: string }"),
  plant(UNLISTED, 'src/record/old.ts', 'export const laneOne = 1')
]

export const PLANTS: readonly Plant[] = [
  ...GRAPH_PLANTS, ...VALUE_PLANTS, ...SPELLING_PLANTS, ...DRIVER_PLANTS, ...SHAPE_PLANTS, ...NEVER_PLANTS, ...TYPED_PLANTS, ...TEST_PLANTS, ...GLOSSARY_PLANTS
]

export const CLEAN: readonly Sample[] = [
  ...DOWNSTREAM.map(([from, to], n) => file(`src/${from}/downstream-${n}.ts`, `export { anything } from '${to}'`)),
  file('src/main.ts', "import { gateway } from './gateway.js'\nconsole.log(gateway)"),
  file('src/gateway.ts', "import { anything } from './deliver/pipeline.js'\nexport const gateway = [anything]"),
  ...TYPES_ONLY.map(([from, to], n) => file(`src/${from}/event-type-${n}.ts`, `import type { Event } from '${to}'\nexport type EventType = Event`)),
  file('src/ingest/types-inline.ts', "import { type RedisClient } from '../redis/script.js'\nexport type Client = RedisClient"),
  file('src/queue/bullmq/driver.ts', "export type * from 'bullmq'"),
  file('src/config/load.ts', "export type * from 'yaml'"),
  file('src/cli/commands.ts', "import { Command } from 'commander'\nexport const command = new Command()\nconsole.log(await fetch('http://127.0.0.1'))"),
  file('src/model/full-file.ts', lines(250, n => `// A comment does not count.\n\nexport const a${n} = ${n}`)),
  file('src/model/full-function.ts', `export const steps: number[] = []\nfunction full () {\n${lines(48, n => `  steps.push(${n})`)}\n}\nfull()`),
  file('src/model/options.ts',
    '/** Two, then options. */\nexport function two (a: number, b: number, { c = 0, d = 0 }: { c?: number, d?: number } = {}): number {\n  return a + b + c + d\n}'),
  { path: 'src/model/shebang.ts', code: `#!/usr/bin/env node\n${OPENING}export const a = 1\n` },
  file('src/ingest/content-types.ts', 'export const a = 1'),
  file('src/model/not-awaited.ts', 'async function a () {}\nvoid a()'),
  file('src/model/schema.ts', 'export const Query = { limit: 50 }\nexport type Query = typeof Query'),
  file('src/model/from-one.ts', "import { a } from './to-another.js'\nexport const b = a"),
  file('src/model/from-two.ts', "import { a } from './to-another.js'\nimport { b } from './from-one.js'\nexport const c = [a, b]"),
  file('src/model/to-another.ts', '// import { b } from "./from-one.js"\nexport const a = 1'),
  {
    path: 'test/model/tests.test.ts', code: `import t from 'tap'\n
t.test('says', async t => {
  t.test('and again', { skip: process.platform === 'win32' && 'no unix sockets' }, async t => { t.ok(true) })
  await t.rejects(async () => { throw new Error('no') })
})
`
  },
  {
    path: 'test/model/deadline.test.ts', code: `import { createServer } from 'node:http'\n
createServer((_, response) => { setTimeout(() => { response.end() }, 10) })
createServer(async (_, response) => { response.end() })
await new Promise<void>((resolve, reject) => {
  setTimeout(() => { reject(new Error('too late')) }, 10)
  process.once('SIGUSR2', () => { resolve() })
})
`
  },
  file('src/record/events-sent/deliveries.ts', "const gizmo = 1\nexport type DeliveredEvent = { gizmo: string, fact: 'delivery.sent' }\nexport const sentEvents = [gizmo]\nexport const DELIVERING_2 = 2"),
  file('src/record/others.d.ts', "declare module 'gizmo' {\n  export const gizmo: string\n}"),
  file('test/model/gizmo.ts', 'export const gizmo = 1'),
  file('test/support/poll.ts', "import { setTimeout } from 'node:timers/promises'\nawait setTimeout(10)")
]
