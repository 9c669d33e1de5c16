/**
 * One fault in each file of `faults/`. The first line of a file says what the
 * gateway must say of it: place | path | message | hint.
 */
import { readdirSync, readFileSync } from 'node:fs'
import t from '../support/tap.js'
import { loadConfig } from '../../src/config/load.js'

const FOLDER = 'test/config/faults'

for (const name of readdirSync(FOLDER)) {
  t.test(`${name.replace('.yaml', '').replaceAll('-', ' ')}: says what, where and what to write`, async t => {
    const file = `${FOLDER}/${name}`
    const [place = '', path = '', message = '', hint = ''] = readFileSync(file, 'utf8').split('\n', 1)[0]!.slice(2).split(' | ')
    const [line, column] = place.split(':').map(Number)
    const expected = { path, message, line, column, ...(hint === '' ? {} : { hint }) }
    const loaded = await loadConfig({ file, env: { RELAY_TEST_EMPTY: '' } })
    t.strictSame(loaded, { faults: [expected] })
    t.notMatch(JSON.stringify(loaded), /hush/, 'and repeats no secret')
  })
}

t.test('there are files to look at', async t => { t.ok(readdirSync(FOLDER).length > 80) })
