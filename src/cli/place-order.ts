/**
 * Gives an order to the gateway, once: it has a key of its own, and if the answer is
 * lost it is sent again with the same key, so that it is never carried out twice.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { RefusedByGateway, type AdminApi } from './admin-api.js'
import type { PlacedAnswer } from '../admin/answers.js'
import { NoAnswer } from './exchange.js'
import { CommandFailure } from './failure.js'

/** Interval between two tries, milliseconds. */
const WAITS_MS = [500, 1_000, 2_000, 4_000]
/** The gateway may have received the order; otherwise it has not. */
const LOST = ['TIMEOUT', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT']
/** After a lost answer: the gateway still works on the first request, or restarts. */
const BUSY = [409, 503]

export interface OrderToPlace {
  /** Below `/api/v1`. */
  path: string
  order: object
  /** The key of an earlier try; default a new one. */
  key?: string | undefined
  waitsMs?: readonly number[]
}

/** @throws CommandFailure that says how to try again if it is unknown whether the order was accepted */
export async function placeOrder (api: AdminApi, { path, order, key = randomUUID(), waitsMs = WAITS_MS }: OrderToPlace): Promise<PlacedAnswer> {
  let wasLost = false
  for (let tries = 0; ; tries++) {
    try {
      return await api.post<PlacedAnswer>(path, order, { 'idempotency-key': key })
    } catch (error) {
      if (!wasLost && !isLost(error)) throw error
      if (wasLost && !isLost(error) && !isBusy(error)) throw error
      wasLost = true
      if (tries === waitsMs.length) throw unknown(error as CommandFailure, key)
      await wait(waitsMs[tries])
    }
  }
}

function isLost (error: unknown): boolean {
  return error instanceof NoAnswer && LOST.includes(error.reason)
}

function isBusy (error: unknown): boolean {
  return error instanceof NoAnswer || (error instanceof RefusedByGateway && BUSY.includes(error.status))
}

function unknown (error: CommandFailure, key: string): CommandFailure {
  return new CommandFailure(`the answer was lost, so it is unknown whether the order was accepted: ${error.message}`, {
    cause: error,
    nextSteps: [`to try again without doing it twice, give the same command with: --idempotency-key ${key}`, ...error.nextSteps]
  })
}
