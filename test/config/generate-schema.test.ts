/** `config/relay.schema.json` is fresh, and agrees with the gateway. */
import { readdirSync, readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import t from '../support/tap.js'
import { parse } from 'yaml'
import { editorSchema, SCHEMA_FILE } from '../../src/config/generate-schema.js'
import { loadConfig } from '../../src/config/load.js'

const validate = new Ajv({ allowUnionTypes: true, strict: true }).compile(JSON.parse(editorSchema()) as object)

t.test('the schema in config/ is fresh: otherwise run npm run build && node dist/config/generate-schema.js', async t => {
  t.equal(readFileSync(SCHEMA_FILE, 'utf8'), editorSchema())
})

for (const file of ['config/relay.yaml', 'config/demo.yaml', 'test/config/whole.yaml']) {
  t.test(`${file} is good for editors and for the gateway`, async t => {
    const env = { SOME: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' }
    t.ok(validate(parse(readFileSync(file, 'utf8'))), JSON.stringify(validate.errors))
    t.match(await loadConfig({ file, env }), { config: Object })
  })
}

/** What only the gateway can see: other files, the environment, and what one entry demands of another. */
const BEYOND_EDITORS = /^(variable|file|listener-tls|(subscriber|receiver)-tls|merge|duplicate|.*-(twice|same-port)|admin-without|redis-two|(subscriber|receiver)-(header|secret)|token|duration-too|size-too|listen-(port|unquoted)|network|path-with-parameter|redis-(url|prefix)|spool|subscriber-url-no|match-field-value-in-hexadecimal|yaml)/

for (const name of readdirSync('test/config/faults').filter(name => !BEYOND_EDITORS.test(name))) {
  t.test(`an editor sees the fault in ${name}`, async t => {
    t.notOk(validate(parse(readFileSync(`test/config/faults/${name}`, 'utf8'))))
  })
}

t.test('a value from outside may stand anywhere', async t => {
  const from = '$' + '{X}'
  t.ok(validate({ ingest: { maxBody: from, allowlist: from }, delivery: { concurrency: from, timeout: from }, subscribers: [{ name: from, url: from, enabled: from }] }), JSON.stringify(validate.errors))
})

t.test('every key says in a sentence what it is for, and which need a restart', async t => {
  const text = editorSchema()
  t.notMatch(text, /"description": ""/)
  t.equal(text.match(/Restart to change/g)?.length, 6, 'ingest.listen, ingest.tls, admin.listen, redis, dataDir, spool')
})
