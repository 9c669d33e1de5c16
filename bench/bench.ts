/**
 * What every measure is given: the plan, the processes that all of them share,
 * and a stage of its own.
 */
import type { Child } from './child/ask.js'
import type { FillOrders } from './child/fill.js'
import type { LoadOrders } from './child/load.js'
import type { SubscriberOrders } from './child/subscriber.js'
import type { Plan } from './plan.js'
import type { Result } from './result.js'
import { startGateway, type BenchGateway, type GatewayOptions } from './stage/gateway.js'
import type { Stage } from './stage/stage.js'

export interface Bench {
  plan: Plan
  /** Where data goes. */
  base: string
  logLevel: string
  load: Child<LoadOrders>
  filler: Child<FillOrders>
  subscribers: Child<SubscriberOrders>
  subscriberPort: number
  /** Closed when the measure ends, however it ends. */
  stage: Stage
  /** Progress, for a person. */
  say: (text: string) => void
}

export interface Measure {
  /** For `--only`. */
  name: string
  run: (bench: Bench) => Promise<Result[]>
}

/** The subscribers of most measures. */
export const FAN_OUT = ['/a', '/b', '/c']

/** A gateway with these subscribers. */
export async function gatewayFor (
  { stage, base, logLevel, subscriberPort }: Bench, paths: string[], more: Pick<GatewayOptions, 'role' | 'redis' | 'concurrency'> = {}
): Promise<BenchGateway> {
  return await startGateway(stage, { base, logLevel, subscriberPort, paths, ...more })
}
