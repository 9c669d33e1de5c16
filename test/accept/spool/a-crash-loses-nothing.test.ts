/**
 * A process that keeps callbacks is killed with SIGKILL again and again, at
 * random moments. A ledger of its own notes what it called safe; all of it is
 * on the disk, and nothing there is anything but a callback that was sent.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from '../../support/tap.js'
import { createOwnership } from '../../../src/accept/spool/ownership.js'
import { openForDraining } from '../../../src/accept/spool/segment.js'
import { programAt } from '../../support/program.js'
import { folder, numberOf } from './folder.js'

const KILLS = 25
/** Callbacks called safe before a kill, at most. */
const MOST_SAFE = 400
/** Sent and not answered, at a time. */
const IN_FLIGHT = 64
const SEGMENT_BYTES = 8 * 1024
const OWNER = programAt(import.meta.url, './fixtures/owner.ts')

/** Runs an owner until it has called so many safe, and kills it. Adds to the ledger what it has called safe, also while it died. */
async function runAndKill (dir: string, { from, goal, ledger }: { from: number, goal: number, ledger: Set<number> }): Promise<number> {
  const child = spawn(process.execPath, [OWNER, dir, String(SEGMENT_BYTES)], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.on('error', () => {}) // it is killed while it is written to
  let sent = from
  let safe = 0
  const send = (): void => { child.stdin.write(`${sent++}\n`) }
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'ready') for (let n = 0; n < IN_FLIGHT; n++) send()
    else {
      ledger.add(Number(line))
      if (++safe === goal) child.kill('SIGKILL')
      else if (safe < goal) send()
    }
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return sent
}

/** What lies in every directory of the spool: how often each callback, and what is none. */
async function readAll (dir: string): Promise<{ numbers: Set<number>, repeated: number, torn: number, damaged: number }> {
  const found = { numbers: new Set<number>(), repeated: 0, torn: 0, damaged: 0 }
  for (const name of readdirSync(dir, { recursive: true }).map(String).filter(name => name.endsWith('.spool'))) {
    const file = await openForDraining(join(dir, name))
    await file.close()
    for (const piece of file.pieces) {
      if (piece.kind === 'torn') found.torn++
      if (piece.kind === 'damage') found.damaged++
      if (piece.kind !== 'record') continue
      const n = numberOf(piece.arrival)
      if (found.numbers.has(n)) found.repeated++
      found.numbers.add(n)
    }
  }
  return found
}

t.test(`killed ${KILLS} times while it keeps callbacks`, { timeout: 120_000 }, async t => {
  const dir = folder(t)
  const ledger = new Set<number>()
  let sent = 0
  for (let kill = 0; kill < KILLS; kill++) {
    sent = await runAndKill(dir, { from: sent, goal: 1 + Math.floor(Math.random() * MOST_SAFE), ledger })
  }
  const found = await readAll(dir)
  t.comment(`${sent} sent, ${ledger.size} called safe, ${found.numbers.size} on the disk, ${found.torn} torn ends`)
  t.ok(ledger.size > KILLS)
  t.strictSame([...ledger].filter(n => !found.numbers.has(n)), [], 'everything that was called safe is there')
  t.strictSame([...found.numbers].filter(n => !(n < sent)), [], 'and nothing that was never sent')
  t.strictSame([found.damaged, found.repeated], [0, 0])
  t.ok(found.torn <= KILLS, 'at most one end is torn by each kill')

  const heir = createOwnership(dir)
  const { files, left } = await heir.takeOver()
  t.strictSame(left, [])
  t.strictSame((await readAll(dir)).numbers, found.numbers, 'the next owner has all of it')
  t.equal(readdirSync(dir).length, 2, 'in one directory, beside the reserve')
  t.ok(files.length >= KILLS)
  heir.release()
})
