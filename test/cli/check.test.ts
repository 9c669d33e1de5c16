import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from '../support/tap.js'
import type { RememberedAnswer } from '../../src/admin/answers.js'
import { probeClaims } from '../../src/cli/doctor/probe-claims.js'
import { probeNode } from '../../src/cli/doctor/probe-machine.js'
import type { Config } from '../../src/config/config.js'
import { folder, run, type RunOptions } from './at-the-terminal.js'
import { problem, standIn, TOKEN, type Reply } from './stand-in-gateway.js'

const SECRET = 'whsec_Zm90b3ItcmVsYXkgdGVzdDogbm90IGEgc2VjcmV0ISE='

function fileWith (t: Test, yaml: string): string {
  return join(folder(t, { 'relay.yaml': yaml }), 'relay.yaml')
}

t.test('check: prints what it understood, on standard output, and no secret', async t => {
  const file = fileWith(t, `admin: { tokens: [hidden-token] }\nsubscribers: [{ name: billing, url: "http://b/?key=hidden", secrets: ["${SECRET}"] }]`)
  const { code, out, err } = await run(['check', file])
  t.match({ code, err }, { code: 0, err: '' })
  t.match(out, /subscriber billing/)
  t.match(out, /✓ .*relay\.yaml can be used/)
  t.notMatch(out, /hidden/)
  t.notMatch(out, SECRET)
})

t.test('check: says what dedupe.window takes for each callback a second, and how many fit', async t => {
  const config = fileWith(t, 'dedupe: { window: 1d, claimsMemory: 64mb }\n')
  t.match((await run(['check', config])).out, /1d \(dedupe\.window\) takes up to 6300kb of Redis for each callback a second, 64 bytes a callback; 64mb may be used for it, enough for 10\.4 a second/)
})

const REMEMBERED: ReadonlyArray<[says: string, remembered: RememberedAnswer | undefined, finding: object]> = [
  ['without a gateway: what it takes', undefined, { state: 'good', says: /a quarter of its maxmemory/ }],
  ['it fits', { claims: 9, mostBytes: 64e6, forgottenBefore: null, perSecond: 2 }, { state: 'good', says: /^at 2 callbacks a second, .* 1d \(dedupe\.window\) with up to 13mb of Redis; 62mb may be used$/ }],
  ['it does not fit', { claims: 9, mostBytes: 6e6, forgottenBefore: null, perSecond: 2 }, { state: 'warning', says: /; 5860kb may be used$/, nextStep: /^shorten dedupe\.window/ }],
  ['some are forgotten', { claims: 9, mostBytes: 64e6, forgottenBefore: '2026-01-01T00:00:00.000Z', perSecond: 2 }, { state: 'warning', says: /^those of callbacks from before 2026-01-01/ }]
]
for (const [says, remembered, finding] of REMEMBERED) {
  t.test(`doctor: duplicates are recognised for the window, or not: ${says}`, async t => {
    const settings = { dedupe: { windowMs: 86_400_000, claimsMemoryBytes: null }, redis: { maxMemoryBytes: null } } as unknown as Config
    t.match(probeClaims(settings, remembered), [{ check: 'duplicates', ...finding }])
  })
}

t.test('check: warnings are told with the rest', async t => {
  t.match(await run(['check', fileWith(t, 'subscribers: []')]), { code: 0, out: /! subscribers is empty/ })
})

const FAULTY = 'ingest:\n  maxBody: 1\nsubscribrs: []\n'

t.test('check: all faults at once, on standard error, each with its place and what to write', async t => {
  const file = fileWith(t, FAULTY)
  const { code, out, err } = await run(['check', file])
  t.match({ code, out }, { code: 2, out: '' })
  t.match(err, /relay\.yaml:2:12 {2}ingest\.maxBody has no unit\n {4}→ write 1kb or 1mb/)
  t.match(err, /relay\.yaml:3:1 {2}subscribrs is not a known key\n {4}→ did you mean subscribers\?/)
  t.match(err, /error: 2 faults in .*\n {2}→ .*fotor-relay check/)
})

t.test('check --json: one document, with or without faults', async t => {
  const bad = await run(['check', '--json', fileWith(t, FAULTY)])
  t.equal(bad.code, 2)
  t.match(JSON.parse(bad.out), { valid: false, faults: [{ path: 'ingest.maxBody', line: 2, column: 12 }, { path: 'subscribrs' }] })
  const good = await run(['check', '--json', fileWith(t, 'subscribers: []')])
  t.match(JSON.parse(good.out), { valid: true, faults: [], warnings: [/subscribers is empty/] })
})

t.test('check: RELAY_CONFIG names the file, an argument wins over it', async t => {
  const file = fileWith(t, FAULTY)
  t.equal((await run(['check'], { env: { RELAY_CONFIG: file } })).code, 2)
  t.equal((await run(['check', 'config/relay.yaml'], { env: { RELAY_CONFIG: file } })).code, 0)
  t.match(await run(['check', '/nowhere.yaml']), { code: 2, err: /\/nowhere\.yaml does not exist/ })
})

interface Report { healthy: boolean, findings: Array<{ check: string, state: string, says: string, nextStep?: string }> }

async function examine (yaml: string, t: Test, findServerProgram?: () => Promise<never>): Promise<Report & { code: number }> {
  return await doctor(['--config', fileWith(t, yaml)], findServerProgram === undefined ? {} : { deps: { findServerProgram } })
}

async function doctor (flags: string[], options: RunOptions = {}): Promise<Report & { code: number }> {
  const { code, out } = await run(['doctor', '--json', ...flags], options)
  return { code, ...JSON.parse(out) as Report }
}

async function listening (t: Test): Promise<{ server: Server, port: number }> {
  const server = createServer(socket => { socket.destroy() })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  return { server, port: (server.address() as AddressInfo).port }
}

const FREE = 'ingest: { listen: "127.0.0.1:0" }\nadmin: { listen: "127.0.0.1:0" }\n'

t.test('doctor: before the first start nothing must be mended, and nothing is created', async t => {
  const { port } = await listening(t)
  const dataDir = join(folder(t), 'data')
  const { code, healthy, findings } = await examine(`${FREE}dataDir: ${dataDir}\nsubscribers: [{ name: billing, url: "http://127.0.0.1:${port}/" }]`, t)
  t.match({ code, healthy }, { code: 0, healthy: true })
  t.match(findings.map(({ check, state }) => `${check} ${state}`), [
    'node good', 'redis good', 'configuration good', 'dataDir good', 'ingest.listen good', 'admin.listen good', 'gateway warning', 'duplicates good', 'subscriber billing good', 'alerts warning'
  ])
  t.notOk(existsSync(dataDir))
})

t.test('doctor: what keeps the gateway from its work is ✗ with a next step, and ends with 1', async t => {
  const { server, port } = await listening(t)
  const gone = await listening(t)
  gone.server.close()
  await once(gone.server, 'close')
  const yaml = `ingest: { listen: "127.0.0.1:${port}" }\nadmin: { listen: "127.0.0.1:0" }\nsubscribers:\n` +
    `  - { name: refusing, url: "http://127.0.0.1:${gone.port}/" }\n` +
    '  - { name: nameless, url: "http://does-not-exist.invalid/" }\n' +
    '  - { name: off, url: "http://127.0.0.1:1/", enabled: false }\n' +
    `alerts: { receivers: [{ name: on-call, url: "http://127.0.0.1:${gone.port}/" }, { name: chat, url: "http://127.0.0.1:${port}/" }] }\n`
  const { code, findings } = await examine(yaml, t, async () => { throw new Error('no redis-server on PATH; install it: apt-get install redis-server') })
  t.ok(server.listening)
  t.equal(code, 1)
  const found = (check: string) => findings.find(finding => finding.check === check)
  t.match(found('redis'), { state: 'bad', nextStep: /apt-get install/ })
  t.match(found('ingest.listen'), { state: 'bad', says: /in use by another process/, nextStep: /change ingest\.listen/ })
  t.match(found('subscriber refusing'), { state: 'bad', says: /ECONNREFUSED/ })
  t.match(found('subscriber nameless'), { state: 'bad', says: /does not resolve/ })
  t.match(found('subscriber off'), { state: 'warning' })
  t.match(found('receiver on-call'), { state: 'bad', says: /ECONNREFUSED/, nextStep: /receives no alerts/ })
  t.match(found('receiver chat'), { state: 'good' })
})

const statsOf = (configFile: string): Reply => ({ body: { process: { configFile, pid: 42 } } })
const OK: Reply = { body: { status: 'ok', reasons: [] } }

/** A gateway on the admin port of a configuration, and that configuration. */
async function gatewayOf (t: Test, readyz: Reply | Reply[], stats: (file: string) => Reply) {
  const file = fileWith(t, '')
  const gateway = await standIn(t, { 'GET /readyz': readyz, 'GET /api/v1/stats': () => stats(file) })
  writeFileSync(file, `ingest: { listen: "127.0.0.1:0" }\nadmin: { listen: "${new URL(gateway.url).host}" }\n`)
  return { gateway, file }
}

const about = ({ findings }: Report, ...checks: string[]) => findings.filter(({ check }) => checks.includes(check))

t.test('doctor: a running gateway holds its own ports, and says how it feels', async t => {
  const { gateway, file } = await gatewayOf(t, [{ status: 200, body: { status: 'degraded', reasons: ['subscriber billing is failing'] } }, { status: 503, body: { status: 'unavailable', reasons: ['Redis does not answer'] } }], statsOf)
  t.match(about(await doctor(['--config', file], gateway), 'admin.listen', 'gateway', 'clock'), [
    { state: 'good', says: /used by the running gateway/ }, { state: 'warning', says: /billing is failing/, nextStep: `fotor-relay status --config ${file}` }, { state: 'good' }
  ])
  t.match(about(await doctor(['--config', file], gateway), 'gateway'), [{ state: 'bad', says: /not ready.*Redis does not answer/ }])
})

t.test('doctor: a gateway with another configuration is another gateway', async t => {
  const { gateway, file } = await gatewayOf(t, OK, () => statsOf('/elsewhere/demo.yaml'))
  const report = await doctor(['--config', file], gateway)
  t.equal(report.code, 1)
  t.match(about(report, 'admin.listen', 'gateway'), [
    { state: 'bad', says: /another gateway/ }, { state: 'bad', says: /another gateway.*uses \/elsewhere\/demo\.yaml \(pid 42\)/, nextStep: /stop that one/ }
  ])
})

t.test('doctor: a gateway that this configuration does not open is another gateway', async t => {
  const { file } = await gatewayOf(t, OK, () => problem(401, 'no'))
  t.match(about(await doctor(['--config', file]), 'admin.listen', 'gateway'), [
    { state: 'bad' }, { state: 'bad', says: /apparently another gateway: .*needs a token/, nextStep: /--token-file/ }
  ])
})

t.test('doctor: a gateway that cannot tell is not taken for this one', async t => {
  const { gateway, file } = await gatewayOf(t, OK, () => problem(503, 'Redis does not answer'))
  t.match(about(await doctor(['--config', file], gateway), 'admin.listen'), [{ state: 'warning', says: /does not report/ }])
})

t.test('doctor: --url and --token-file say where the gateway is', async t => {
  const { gateway, file } = await gatewayOf(t, OK, statsOf)
  const tokenFile = join(folder(t, { token: TOKEN }), 'token')
  const elsewhere = fileWith(t, FREE)
  const flags = ['--config', elsewhere, '--url', gateway.url, '--token-file', tokenFile]
  t.match(about(await doctor(flags), 'gateway'), [{ state: 'bad', says: `uses ${file}` }])
  t.match(gateway.asked.at(-1), { line: 'GET /api/v1/stats', authorization: `Bearer ${TOKEN}` })
  t.match(about(await doctor([...flags.slice(0, -1), '/nowhere/token']), 'gateway'), [{ state: 'bad', says: /\/nowhere\/token cannot be read/ }])
})

t.test('doctor: another program on the admin port is not taken for a gateway', async t => {
  const other = await standIn(t, { 'GET /readyz': { body: '<html>' } })
  const { findings } = await examine(`admin: { listen: "${new URL(other.url).host}" }\ningest: { listen: "127.0.0.1:0" }`, t)
  t.match(findings.find(({ check }) => check === 'gateway'), { state: 'bad', says: /not like a gateway/ })
  t.match(findings.find(({ check }) => check === 'admin.listen'), { state: 'bad' })
})

t.test('doctor: a gateway whose clock differs is told', async t => {
  const late = new Date(Date.now() - 120_000).toUTCString()
  const gateway = await standIn(t, { 'GET /readyz': { body: { status: 'ok', reasons: [] }, headers: { date: late } } })
  const { findings } = await examine(`admin: { listen: "${new URL(gateway.url).host}" }\ningest: { listen: "127.0.0.1:0" }`, t)
  t.match(findings.find(({ check }) => check === 'clock'), { state: 'warning', says: /differ by 1[12]\d s/, nextStep: /NTP/ })
})

t.test('doctor: a dataDir that others may enter, or that is a file, is told', async t => {
  const dir = folder(t, { file: '' })
  const open = join(dir, 'open')
  mkdirSync(open)
  chmodSync(open, 0o755)
  const dataDirOf = async (path: string) => (await examine(`${FREE}dataDir: ${path}`, t)).findings.find(({ check }) => check === 'dataDir')
  t.match(await dataDirOf(join(dir, 'new')), { state: 'good', says: /^[^ ]*new will be created$/ })
  t.match(await dataDirOf(open), { state: 'warning', nextStep: /chmod 700/ })
  t.match(await dataDirOf(join(dir, 'file')), { state: 'bad', says: /not a directory/ })
})

t.test('doctor: faults of the configuration are told, and what needs it is not guessed', async t => {
  const { code, findings } = await examine(FAULTY, t)
  t.equal(code, 1)
  t.strictSame(findings.map(({ check, state }) => `${check} ${state}`), ['node good', 'redis good', 'configuration bad', 'configuration bad'])
})

t.test('doctor: reads as lines with marks and next steps', async t => {
  const { code, out, err } = await run(['doctor', '--config', fileWith(t, FAULTY)])
  t.equal(code, 1)
  t.match(out, /✓ node +Node 2\d/)
  t.match(out, /✗ configuration +.*ingest\.maxBody has no unit.*\n +→ correct it/)
  t.match(err, /2 problems must be fixed/)
})

for (const [version, state] of [['20.18.3', 'bad'], ['20.19.0', 'good'], ['18.20.0', 'bad'], ['24.0.0', 'good']] as const) {
  t.test(`doctor: Node ${version} is ${state}`, async t => { t.equal(probeNode(version).state, state) })
}
