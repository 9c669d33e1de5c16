/** What a fault is: something that begins, and that can be ended. */
import type { Stage } from './stage.js'

/** Resolves when it is over. */
export type End = () => unknown

/** Begins it; resolves with what ends it. */
export type FaultScript = (stage: Stage, target: number) => End | Promise<End>

export const nothing = (): void => {}
