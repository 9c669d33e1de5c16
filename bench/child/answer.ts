/**
 * The child's side: carries out orders and answers them. Ends when the parent
 * does; leaves Ctrl-C to the parent, which knows what to stop first.
 */
import type { Answered, Asked, Orders } from './ask.js'

/** Answers every order with what its function resolves with. */
export function answerOrders (orders: Orders): void {
  process.on('SIGINT', () => {})
  process.on('disconnect', () => { process.exit() })
  process.on('message', ({ number, order, what }: Asked) => {
    void carryOut(orders, order, what).then(
      answer => { tell({ number, answer }) },
      (error: unknown) => { tell({ number, error: error instanceof Error ? error.message : String(error) }) }
    )
  })
}

async function carryOut (orders: Orders, order: string, what: unknown): Promise<unknown> {
  return await orders[order]!(what as never)
}

function tell (answered: Answered): void {
  process.send?.(answered)
}
