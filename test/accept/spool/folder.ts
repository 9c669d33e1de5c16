/**
 * A folder for a spool, callbacks to put there, and a disk that fails when the
 * test says so: the files are real, what the system is asked is counted, held
 * or refused.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Arrival } from '../../../src/accept/arrival.js'

/** What a test of tap offers, as far as it is needed here. */
interface Teardown { teardown (end: () => unknown): unknown }

/** A new folder, removed with the test. */
export function folder (t: Teardown): string {
  const path = mkdtempSync(join(tmpdir(), 'relay-spool-'))
  t.teardown(() => { rmSync(path, { recursive: true, force: true }) })
  return path
}

/** A callback that can be told from others by its number. */
export function arrivalNumber (n: number, more: Partial<Arrival> = {}): Arrival {
  return {
    body: Buffer.from(JSON.stringify({ taskId: `task-${n}`, status: 1, type: 'x' })),
    contentType: 'application/json',
    receivedAt: 1_700_000_000_000 + n,
    flags: [],
    ...more
  }
}

/** The number that it was given. */
export function numberOf ({ body }: Pick<Arrival, 'body'>): number {
  return Number(/task-(\d+)/.exec(body.toString())?.[1])
}

/** What the system is asked to do with a file. */
type Call = 'write' | 'datasync' | 'sync'

export interface Disk {
  /** How often each was called since this disk was watched. */
  calls: Record<Call, number>
  /** Called in the place of the system; what it rejects with, the caller gets. */
  on (call: Call, instead: ((proceed: () => Promise<unknown>) => Promise<unknown>) | null): void
}

/** Watches every file of this process until the end of the test. */
export async function watchDisk (t: Teardown, anyFile: string): Promise<Disk> {
  const handle = await open(anyFile, 'r')
  const prototype = Object.getPrototypeOf(handle) as Record<Call, (this: FileHandle, ...args: unknown[]) => Promise<unknown>>
  await handle.close()
  const calls = { write: 0, datasync: 0, sync: 0 }
  const instead: Partial<Record<Call, (proceed: () => Promise<unknown>) => Promise<unknown>>> = {}
  for (const call of ['write', 'datasync', 'sync'] as const) {
    const real = prototype[call]
    prototype[call] = async function (...args) {
      calls[call]++
      const proceed = async (): Promise<unknown> => await real.apply(this, args)
      return await (instead[call] ?? (async () => await proceed()))(proceed)
    }
    t.teardown(() => { prototype[call] = real })
  }
  return {
    calls,
    on (call, behaviour) {
      if (behaviour === null) delete instead[call]
      else instead[call] = behaviour
    }
  }
}

/** An error as the file system throws it. */
export function diskError (code: string, says = 'something is wrong'): Error {
  return Object.assign(new Error(`${code}: ${says}, write '/a/path/that/is/nobodys/business'`), { code })
}
