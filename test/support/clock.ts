/** A clock that a gateway of its own process can be given, and that can be set while it runs. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { GatewayProcess, Home } from './gateway.js'

const CLOCK = fileURLToPath(new URL('clock.mjs', import.meta.url))

export interface TestClock {
  /** What the process is to be started with. */
  env: NodeJS.ProcessEnv
  /** Sets it so many milliseconds from the real time; the gateway sees it a moment later. */
  set (gateway: GatewayProcess, offsetMs: number): void
}

/** The clock of the gateways that run in a home; each starts with it as it was left, the first with `offsetMs` from the real time. */
export function clockOf ({ dir }: Home, offsetMs = 0): TestClock {
  const file = join(dir, 'clock-offset')
  writeFileSync(file, String(offsetMs))
  return {
    env: { NODE_OPTIONS: `--import=${CLOCK}`, CLOCK_OFFSET: file },
    set ({ child }, offsetMs) {
      writeFileSync(file, String(offsetMs))
      child.kill('SIGUSR2')
    }
  }
}
