/**
 * The other half of steady.ts: writes a byte and syncs it, rests, and again.
 * What a round takes longer than usual, the machine has taken.
 */
import { fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { workerData } from 'node:worker_threads'

const REST_MS = 20
const file = join(tmpdir(), `relay-steady-${process.pid}`)
const fd = openSync(file, 'w')
rmSync(file)

const { shared, usual } = workerData
const bell = new Int32Array(new SharedArrayBuffer(4))
for (let beat = process.hrtime.bigint(); ;) {
  writeSync(fd, '.', 0)
  fdatasyncSync(fd)
  Atomics.wait(bell, 0, 0, REST_MS)
  const now = process.hrtime.bigint()
  const beyond = now - beat - usual
  Atomics.add(shared, 2, 1n) // odd: do not read
  if (beyond > 0n) Atomics.add(shared, 0, beyond)
  Atomics.store(shared, 1, now)
  Atomics.add(shared, 2, 1n)
  beat = now
}
