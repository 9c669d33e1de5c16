import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from '../support/tap.js'
import { readAdminPlace, type AdminPlace } from '../../src/config/admin-place.js'
import { reference } from '../../src/config/interpolate.js'

function placeIn (t: Test, yaml: string): AdminPlace {
  const dir = mkdtempSync(join(tmpdir(), 'relay-place-'))
  t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })
  const file = join(dir, 'relay.yaml')
  writeFileSync(file, yaml)
  return readAdminPlace({ file, env: { HERE: 'from-here' } })
}

const HERE = reference('HERE')
const NOT_HERE = reference('NOT_HERE')
const WELL = { host: '127.0.0.1', port: 9999 }

t.test('faults of other keys, and variables that only the gateway has, do not hide the place', async t => {
  const yaml = `admin: { listen: "127.0.0.1:9999", tokens: ["${HERE}"] }\ndataDir: /data\ningess: {}\nsubscribers: [{ name: Bad, url: "${NOT_HERE}", secrets: ["${NOT_HERE}"] }]`
  t.strictSame(placeIn(t, yaml), {
    listen: WELL, tokens: [{ name: 'token-1', value: 'from-here', role: 'operator' }], dataDir: '/data', faults: []
  })
})

t.test('without a word in the file, the place is the schema\'s', async t => {
  t.match(placeIn(t, 'log: { level: silent }'), { listen: { host: '127.0.0.1', port: 8081 }, tokens: [], dataDir: /\/data$/, faults: [] })
})

/** What is written, and what is then not known; the rest is. */
const HIDDEN: ReadonlyArray<[yaml: string, known: object, fault: object]> = [
  [`admin: { listen: "${NOT_HERE}" }`, { listen: null }, { path: 'admin.listen', message: /NOT_HERE, which is not set/ }],
  ['admin: { lisen: "127.0.0.1:9999" }', { listen: null }, { path: 'admin.lisen' }],
  ['admin: { listen: "127.0.0.1:9999" }\nadmin: {}', { listen: null }, { path: 'admin' }],
  [`admin: { listen: "127.0.0.1:9999", tokens: ["${NOT_HERE}", { name: a, value: do }] }`, { listen: WELL, tokens: [{ name: 'a', value: 'do' }] }, { path: 'admin.tokens[0]' }],
  [`admin: { listen: "127.0.0.1:9999" }\ndataDir: "${NOT_HERE}"`, { listen: WELL, dataDir: null }, { path: 'dataDir' }],
  ['admin: {', { listen: null, tokens: [], dataDir: null }, { path: '' }]
]
for (const [yaml, known, fault] of HIDDEN) {
  t.test(`no default stands in for what cannot be read: ${JSON.stringify(yaml)}`, async t => {
    const place = placeIn(t, yaml)
    t.match(place, known)
    t.match(place.faults[0], fault)
  })
}

t.test('a file that is not there is a fault of the whole file', async t => {
  t.match(readAdminPlace({ file: '/nowhere.yaml', env: {} }), { listen: null, faults: [{ path: '', message: /\/nowhere\.yaml does not exist/ }] })
})
