import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from '../support/tap.js'
import type { ApiFlags } from '../../src/cli/command-line.js'
import { findApi } from '../../src/cli/find-api.js'
import { reference } from '../../src/config/interpolate.js'
import { folder, PACKAGE_DIR, run } from './at-the-terminal.js'
import { problem, standIn, TOKEN } from './stand-in-gateway.js'

const NOT_HERE = reference('NOT_HERE')
const EMPTY = { items: [], nextCursor: null }

/** A configuration, and what the gateway keeps beside it. */
function home (t: Test, { admin, made }: { admin: string, made?: string }): string {
  const dir = folder(t, { 'relay.yaml': '' })
  const dataDir = join(dir, 'data')
  mkdirSync(dataDir)
  if (made !== undefined) writeFileSync(join(dataDir, 'admin-token'), made + '\n')
  writeFileSync(join(dir, 'relay.yaml'), `admin: ${admin}\ndataDir: ${dataDir}\n`)
  return join(dir, 'relay.yaml')
}

const find = async (flags: ApiFlags, env: Record<string, string> = {}) => await findApi(flags, { env, packageDir: PACKAGE_DIR })

t.test('the configuration tells where it listens and holds the first operator\'s token', async t => {
  const config = home(t, { admin: '{ listen: "127.0.0.1:9999", tokens: [{ name: v, value: see, role: viewer }, { name: alice, value: do }] }' })
  t.match(await find({ config }), { url: 'http://127.0.0.1:9999', token: { value: 'do', source: /alice/ } })
})

t.test('without a configured token, the one that the gateway made is used', async t => {
  const config = home(t, { admin: '{}', made: 'made-here' })
  t.match(await find({ config }), { url: 'http://127.0.0.1:8081', token: { value: 'made-here', source: /admin-token$/ } })
})

t.test('a gateway that never ran has made no token, and that is no error yet', async t => {
  t.equal((await find({ config: home(t, { admin: '{}' }) })).token, null)
})

for (const [listen, url] of [['0.0.0.0:81', 'http://127.0.0.1:81'], ['[::]:81', 'http://[::1]:81'], ['[::1]:81', 'http://[::1]:81']] as const) {
  t.test(`a gateway that listens on ${listen} is reached at ${url}`, async t => {
    const config = home(t, { admin: `{ listen: "${listen}", tokens: [long-enough-token] }` })
    t.equal((await find({ config })).url, url)
  })
}

t.test('flags win over the environment, and that over the configuration', async t => {
  const config = home(t, { admin: '{ tokens: [from-config] }' })
  const tokenFile = join(folder(t, { token: 'from-file\n' }), 'token')
  const env = { RELAY_ADMIN_URL: 'http://from-env:1/', RELAY_ADMIN_TOKEN: 'from-env', RELAY_CONFIG: config }
  t.match(await find({ url: 'http://from-flag:1', tokenFile }, env), { url: 'http://from-flag:1', token: { value: 'from-file' } })
  t.match(await find({}, env), { url: 'http://from-env:1', token: { value: 'from-env', source: 'RELAY_ADMIN_TOKEN' } })
  t.match(await find({ config }, env), { url: 'http://127.0.0.1:8081', token: { value: 'from-env' } })
  t.match(await find({}, { RELAY_CONFIG: config }), { url: 'http://127.0.0.1:8081', token: { value: 'from-config' } })
})

t.test('a token of this machine goes to this machine only, unless --config asks for it', async t => {
  const config = home(t, { admin: '{ tokens: [from-config] }' })
  const env = { RELAY_CONFIG: config }
  t.equal((await find({ url: 'http://relay.example.com' }, env)).token, null)
  t.equal((await find({ url: 'http://127.0.0.1.example.com' }, env)).token, null)
  t.equal((await find({ url: 'http://127.0.0.1:8081' }, env)).token?.value, 'from-config')
  t.equal((await find({ url: 'http://relay.example.com', config })).token?.value, 'from-config')
})

t.test('a token that no header can carry is refused without being shown', async t => {
  const { code, err } = await run(['events', '--url', 'http://127.0.0.1:1'], { env: { RELAY_ADMIN_TOKEN: 'two words' } })
  t.equal(code, 2)
  t.match(err, /RELAY_ADMIN_TOKEN does not hold a token/)
  t.notMatch(err, /two words/)
})

t.test('a token file that is not there is named', async t => {
  const { code, err } = await run(['events', '--url', 'http://127.0.0.1:1', '--token-file', '/nowhere/token'])
  t.equal(code, 2)
  t.match(err, /\/nowhere\/token cannot be read \(ENOENT\)\n {2}→ .*--token-file/)
})

t.test('a token file as an editor of Windows writes it is read, or named for what it is', async t => {
  const dir = folder(t, { marked: `\ufeff${TOKEN}\r\n` })
  t.equal((await find({ url: 'http://127.0.0.1:1', tokenFile: join(dir, 'marked') })).token?.value, TOKEN)
  writeFileSync(join(dir, 'utf-16'), Buffer.from(TOKEN, 'utf16le'))
  const { code, err } = await run(['events', '--url', 'http://127.0.0.1:1', '--token-file', join(dir, 'utf-16')])
  t.equal(code, 2)
  t.match(err, /utf-16 is UTF-16 without a byte order mark\n {2}→ save it as UTF-8/)
})

t.test('variables that only the gateway has, and faults elsewhere, keep nobody from finding it', async t => {
  const config = home(t, { admin: `{ listen: "127.0.0.1:9999" }\ningess: {}\nsubscribers: [{ name: a, url: "${NOT_HERE}", secrets: ["${NOT_HERE}"] }]`, made: 'made-here' })
  t.match(await find({ config }), { url: 'http://127.0.0.1:9999', token: { value: 'made-here' } })
})

t.test('a fault in admin.listen hides where the gateway is, and the way around it is named', async t => {
  const config = home(t, { admin: `{ listen: "${NOT_HERE}" }` })
  const { code, err } = await run(['events', '--config', config])
  t.equal(code, 2)
  t.match(err, /does not contain the address of the gateway: .*relay\.yaml:1:\d+: admin\.listen needs the environment variable NOT_HERE.*\n.*fotor-relay check.*\n.*--url/)
})

t.test('why no token was found is said when one is wanted', async t => {
  const gateway = await standIn(t, { 'GET /api/v1/events': problem(401, 'no') })
  const whyWith = async (admin: string): Promise<string> => (await run(['events', ...gateway.flags], { env: { RELAY_CONFIG: home(t, { admin }) } })).err
  t.match(await whyWith(`{ tokens: ["${NOT_HERE}"] }`), /none was found: .*admin\.tokens\[0\] needs the environment variable NOT_HERE/)
  t.match(await whyWith('{}'), /none was found: .*relay\.yaml names no operator's token, and there is no .*admin-token/)
  t.match((await run(['events', ...gateway.flags], { env: { RELAY_CONFIG: '/nowhere.yaml' } })).err, /none was found: .*\/nowhere\.yaml does not exist/)
  t.match(await find({ url: 'http://relay.example.com' }), { token: null, withoutToken: /only with --config/ })
})

t.test('the next steps are aimed at the same gateway, as a shell takes them', async t => {
  const tokenFile = join(folder(t, { 'a token': TOKEN }), 'a token')
  const { err } = await run(['events', '--url', 'http://127.0.0.1:1', '--token-file', tokenFile, '--config', 'my.yaml'])
  t.match(err, '→ start it with: fotor-relay start --config my.yaml\n')
  const gateway = await standIn(t, { 'POST /api/v1/subscribers/billing/pause': { body: {} } })
  const { out } = await run(['pause', 'billing', ...gateway.flags, '--token-file', tokenFile])
  t.equal(out, `billing is paused; resume its deliveries with: fotor-relay resume billing --url ${gateway.url} --token-file '${tokenFile}'\n`)
})

t.test('the token is sent as a bearer token', async t => {
  const gateway = await standIn(t, { 'GET /api/v1/events': { body: EMPTY } })
  await run(['events', ...gateway.flags], gateway)
  t.equal(gateway.asked[0]?.authorization, `Bearer ${TOKEN}`)
})

t.test('when nobody answers, that is said with the way to start it', async t => {
  const { code, out, err } = await run(['events', '--url', 'http://127.0.0.1:1'], { env: { RELAY_ADMIN_TOKEN: TOKEN } })
  t.equal(code, 1)
  t.equal(out, '')
  t.match(err, /no gateway answers at http:\/\/127\.0\.0\.1:1 — is it running\?\n {2}→ start it with: fotor-relay start/)
})

/** What the gateway answers, the exit code, and what must be said. */
const REFUSALS: ReadonlyArray<[says: string, reply: ReturnType<typeof problem>, code: number, err: RegExp]> = [
  ['401 names the source of the token, not the token', problem(401, 'no'), 1, /does not accept the token from RELAY_ADMIN_TOKEN\n.*--token-file/],
  ['403 asks for an operator', problem(403, 'A viewer may only read.'), 1, /A viewer may only read\.\n.*operator/],
  ['400 is bad usage and names the flag', problem(400, 'eventIds takes ids.', { errors: [{ name: 'eventIds' }, { name: 'body' }] }), 2, /eventIds takes ids\.\n {2}→ correct --event-id\n/],
  ['422 is bad usage', problem(422, 'used before'), 2, /used before/],
  ['404 is a failure', problem(404, 'There is no such event.'), 1, /There is no such event/],
  ['503 is a failure', problem(503, 'Redis does not answer.'), 1, /Redis does not answer/],
  ['another program on the port is not taken for a gateway', { status: 200, body: '<html>' }, 1, /not like a gateway\n.*admin\.listen/],
  ['a redirect is not followed', { status: 302, body: '', headers: { location: 'http://127.0.0.1:1/' } }, 1, /answers 302/]
]
for (const [says, reply, code, err] of REFUSALS) {
  t.test(says, async t => {
    const gateway = await standIn(t, { 'GET /api/v1/events': reply })
    const ended = await run(['events', ...gateway.flags], gateway)
    t.equal(ended.code, code)
    t.equal(ended.out, '')
    t.match(ended.err, err)
    t.notMatch(ended.err, TOKEN)
    t.equal(gateway.asked.length, 1)
  })
}
