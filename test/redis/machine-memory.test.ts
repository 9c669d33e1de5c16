import t from '../support/tap.js'
import { machineMemory } from '../../src/redis/machine-memory.js'

const TABLE: ReadonlyArray<[says: string, total: number, allowed: number, bytes: number]> = [
  ['a machine without cgroups has what it has', 8_000, 0, 8_000],
  ['a cgroup without a limit says more than there can be', 8_000, 2 ** 63, 8_000],
  ['a container has what it is allowed', 8_000, 512, 512],
  ['a limit above the machine is none', 8_000, 9_000, 8_000]
]
for (const [says, total, allowed, bytes] of TABLE) {
  t.test(says, async t => { t.equal(machineMemory(total, allowed), bytes) })
}
