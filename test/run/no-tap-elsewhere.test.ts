/** Chaos, bench and soak borrow from test/support, and are no tests: tap, once loaded, prints results and sets the exit code. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import t from '../support/tap.js'

function loadsTap (file: string, seen = new Set<string>()): boolean {
  if (seen.has(file)) return false
  seen.add(file)
  const imported = [...readFileSync(file, 'utf8').matchAll(/\bfrom "([^"]+)"/g)].map(([, name]) => name!)
  return imported.includes('tap') || imported.some(name => name.startsWith('.') && loadsTap(resolve(dirname(file), name), seen))
}

for (const main of ['bench/main', 'chaos/main', 'chaos/failovers', 'soak/main']) {
  t.test(`${main} does not load tap`, async t => { t.notOk(loadsTap(resolve('.compiled', `${main}.js`))) })
}

t.test('a test does', async t => { t.ok(loadsTap(resolve('.compiled/test/run/count.test.js'))) })
