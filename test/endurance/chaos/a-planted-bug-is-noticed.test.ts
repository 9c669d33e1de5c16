/**
 * The chaos run would notice: a gateway that answers 200 before the callback
 * is safe passes every test that kills nothing, and not this one.
 */
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from '../../support/tap.js'
import { planOf, type Plan } from '../../../chaos/plan.js'
import { runPlan } from '../../../chaos/run.js'

/** A kill of each gateway that takes callbacks, and nothing else. */
const PLAN: Plan = {
  ...planOf('planted', 4),
  servers: 'redis',
  faults: [
    { kind: 'gateway.kill', target: 0, atMs: 1_500, forMs: 500 },
    { kind: 'gateway.kill', target: 1, atMs: 2_500, forMs: 500 }
  ]
}

/** What an impatient developer might have made of the step that decides how a callback is answered. */
const HASTY = `
import * as patient from './patient.js'
export const inTime = patient.inTime
export function acceptOrKeep (options) {
  const accept = patient.acceptOrKeep(options)
  return async arrival => {
    setTimeout(() => { void accept(arrival) }, 700)
    return { kind: 'spooled' }
  }
}
`

/** The built gateway with this in it. */
function plant (): string {
  mkdirSync('data', { recursive: true })
  // Below the project, so that it finds what it depends on.
  const dir = mkdtempSync(join('data', 'planted-'))
  t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })
  cpSync('dist', join(dir, 'dist'), { recursive: true })
  cpSync('package.json', join(dir, 'package.json'))
  const step = join(dir, 'dist/accept/spool')
  renameSync(join(step, 'accept-or-keep.js'), join(step, 'patient.js'))
  writeFileSync(join(step, 'accept-or-keep.js'), HASTY)
  return join(dir, 'dist/main.js')
}

t.test('a 200 before the write is noticed: acknowledged and lost', async t => {
  const { broken } = await runPlan(PLAN, { main: plant(), say: text => { t.comment(text) } })
  t.ok(broken.some(sentence => sentence.startsWith('acknowledged and lost')), `${broken.length} sentences, as: ${broken[0]}`)
})

t.test('the same plan breaks no promise of the gateway as it is', async t => {
  const { broken, counts } = await runPlan(PLAN, { say: text => { t.comment(text) } })
  t.strictSame(broken, [])
  t.equal(counts.acknowledged, counts.notifications)
})
