/**
 * How much is measured: the full run, within about twenty minutes, and the
 * quick one, within about a minute, which leaves out what needs many events.
 */

export interface Plan {
  /** Runs of each measure that count; one more before them warms up. */
  runs: number
  /** How long one run of a load takes, seconds. */
  seconds: number
  /** How long one try of a concurrency takes, seconds. */
  trySeconds: number
  /** Connections that the load tries at a ceiling. */
  connections: number[]
  /** Concurrencies per subscriber that the bare delivery loop tries. */
  concurrencies: number[]
  /** Events delivered in one run from a backlog. */
  backlog: number
  /** The same, while one subscriber hangs. */
  hangingBacklog: number
  /** Callbacks per second while acknowledgements are timed. */
  offered: number
  /** Callbacks per second while nothing else happens. */
  idle: number
  /** How long callbacks are taken while a backlog is delivered, seconds. */
  bothWaysSeconds: number
  /** How many subscribers there are while the cost of a delivery is measured; rising. */
  subscribers: number[]
  /** Deliveries waiting while their cost is measured; rising. */
  waiting: number[]
  /** Deliveries of one run of that. */
  costed: number
  /** Events whose memory is measured. */
  weighed: number
  /** How large the file is that a Redis reads at its start, megabytes. */
  loadedMb: number
  /** One measure is given up after this, milliseconds. */
  measureWithinMs: number
  /** Measures that have not ended by then are given up, milliseconds. */
  runWithinMs: number
}

export const FULL: Plan = {
  runs: 5,
  seconds: 5,
  trySeconds: 2,
  connections: [32, 64, 128, 256],
  concurrencies: [8, 16, 32, 64],
  backlog: 12_000,
  hangingBacklog: 8_000,
  offered: 1_000,
  idle: 100,
  bothWaysSeconds: 4,
  subscribers: [1, 10, 100],
  waiting: [1_000, 100_000, 1_000_000],
  costed: 5_000,
  weighed: 20_000,
  loadedMb: 1_000,
  measureWithinMs: 900_000,
  runWithinMs: 1_800_000
}

export const QUICK: Plan = {
  runs: 2,
  seconds: 1,
  trySeconds: 0.5,
  connections: [64, 128],
  concurrencies: [16, 32],
  backlog: 1_500,
  hangingBacklog: 1_000,
  offered: 1_000,
  idle: 100,
  bothWaysSeconds: 1,
  subscribers: [1, 20],
  waiting: [1_000, 10_000],
  costed: 1_000,
  weighed: 2_000,
  loadedMb: 50,
  measureWithinMs: 90_000,
  runWithinMs: 240_000
}

/** What the smoke test needs to find two ratios, on a machine that does other things. */
export const SMOKE: Plan = { ...QUICK, runs: 3, connections: [64], concurrencies: [32], backlog: 3_000 }
