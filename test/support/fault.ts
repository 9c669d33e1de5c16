/** An error of a gateway's own, for one of its own process. */
import { fileURLToPath } from 'node:url'

export const FAULT = {
  /** What the process is to be started with. */
  env: { NODE_OPTIONS: `--import=${fileURLToPath(new URL('fault-on-signal.mjs', import.meta.url))}` },
  /** Then this makes it happen. */
  signal: 'SIGUSR1'
} as const
