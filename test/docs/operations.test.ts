/** The runbook has an entry for every alert there is, and for none that there is not. */
import { readFileSync } from 'node:fs'
import t from '../support/tap.js'
import { CONDITION_NAMES } from '../../src/conditions/list.js'

const RUNBOOK = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')

t.test('every alert is a row of the runbook', async t => {
  const rows = [...RUNBOOK.matchAll(/^\| `([a-z-]+)` \| (?:critical|warning) \| .{20,} \|$/gm)].map(([, name]) => name!)
  t.strictSame(rows.sort(), [...CONDITION_NAMES].sort())
})

t.test('what the runbook links to within itself is there', async t => {
  const headings = [...RUNBOOK.matchAll(/^#+ (.*)$/gm)].map(([, title]) => title!.toLowerCase().replaceAll(' ', '-').replaceAll(',', ''))
  for (const [, anchor] of RUNBOOK.matchAll(/\]\(#([^)]+)\)/g)) t.ok(headings.includes(anchor!), anchor!)
})
