/** Whatever is secret, and wherever it is put by mistake: nothing that is shown, logged or answered has it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from '../support/tap.js'
import { changesBetween } from '../../src/config/changes.js'
import { formatFault } from '../../src/config/fault.js'
import { loadConfig } from '../../src/config/load.js'
import { describeConfig } from '../../src/config/mask.js'
import { relaySchema } from '../../src/config/schema.js'
import { shapeOf, type Shape } from '../../src/config/shape.js'
import { warnings } from '../../src/config/warnings.js'
import { configOf } from './config-of.js'

const dir = mkdtempSync(join(tmpdir(), 'relay-config-'))
t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })

/** What stands in the place of a value, nested as the schema nests it. */
type Nest = (inner: unknown) => unknown

/** Every place for a single value, as what must be written around it. */
function placesIn (shape: Shape, path: string, nest: Nest): Array<{ path: string, nest: Nest }> {
  if (shape.anyOf !== undefined) return shape.anyOf.flatMap(option => placesIn(option, path, nest))
  if (shape.items !== undefined) return placesIn(shape.items, `${path}[]`, inner => nest([inner]))
  if (typeof shape.additionalProperties === 'object') return placesIn(shape.additionalProperties, `${path}.X`, inner => nest({ X: inner }))
  if (shape.properties === undefined) return [{ path, nest }]
  const others = /^(subscribers|alerts\.receivers)\[\]$/.test(path) ? { name: 'one', url: 'http://one/' } : {}
  return Object.entries(shape.properties).flatMap(([key, inner]) => placesIn(inner, `${path}${path === '' ? '' : '.'}${key}`, value => nest({ ...others, [key]: value })))
}

const PLACES = placesIn(shapeOf(relaySchema), '', inner => inner)

/** Each would be a good value somewhere, and is a bad one in most places. */
const SECRETS = ['hush', '48151623', 'hush.48151623', 'http://u:48151623@hush.internal/hush?a=hush', '/48151623/hush', 'whsec_aHVzaGh1c2hodXNoaHVzaGh1c2hodXNo', 'hush "\n48151623']

// The name of a subscriber or receiver is shown on purpose: it is what everybody calls it by.
for (const { path, nest } of PLACES.filter(({ path }) => !/^(subscribers|alerts\.receivers)\[\]\.name$/.test(path))) {
  t.test(`a secret from outside at ${path} is never shown`, async t => {
    for (const secret of SECRETS) {
      const file = join(dir, 'config.yaml')
      writeFileSync(file, JSON.stringify(nest('$' + '{HUSH}')))
      const loaded = await loadConfig({ file, env: { HUSH: secret } })
      const shown = 'faults' in loaded
        ? [JSON.stringify(loaded.faults), ...loaded.faults.map(fault => formatFault(fault, file))]
        : [describeConfig(loaded.config), ...warnings(loaded.config), ...changesBetween(await configOf(''), loaded.config)]
      t.notMatch(shown.join('\n'), /hush|48151623|aHVza/, `${path} = ${secret}`)
    }
  })
}

t.test('a secret that breaks the YAML is not quoted', async t => {
  for (const text of ['a: [ "x" hush ]', 'a: "x" hush', 'a: &hush b: *hush2', 'a: !hush x', 'hush\nb: c', 'a: "\\hush"', '- hush: {', '%HUSH hush\n---\na: 1', '@hush', 'hush: hush: hush']) {
    const file = join(dir, 'broken.yaml')
    writeFileSync(file, text)
    const loaded = await loadConfig({ file, env: {} })
    t.match(loaded, { faults: [Object] }, text)
    t.notMatch(JSON.stringify(loaded), /hush/i)
  }
})
