/**
 * Batches calls: calls that come at about the same time are sent as one. A round
 * trip, a script and an fsync for thirty calls cost hardly more than for one.
 *
 * No call waits for a batch to fill: it is sent at the end of its turn of the
 * event loop, unless the maximum number of batches is in flight; then it goes
 * with the next. So an idle gateway answers at once, and the busier it is, the
 * larger its batches become.
 */

export interface BatcherOptions<Call, Reply> {
  /**
   * Sends a batch; its replies have the order of its calls. If it rejects, every call of the batch is rejected with the same
   * error, and so is every waiting call: it would only fail later.
   */
  send: (calls: Call[]) => Promise<Reply[]>
  /** Maximum batches in flight, ≥ 1. */
  atOnce: number
  /** Maximum calls of a batch, ≥ 1: Redis does nothing else meanwhile. */
  most: number
  /** The weight of a call; a batch weighs at most `heaviest`, or is a single call. */
  weigh?: (call: Call) => number
  heaviest?: number
}

/** Sends a call with others; resolves with its own reply. */
export type Batched<Call, Reply> = (call: Call) => Promise<Reply>

interface WaitingCall<Call, Reply> {
  call: Call
  resolve: (reply: Reply) => void
  reject: (error: unknown) => void
}

/** Makes the function that sends a call with a batch; calls are sent in the order of their arrival. */
export function createBatcher<Call, Reply> (options: BatcherOptions<Call, Reply>): Batched<Call, Reply> {
  const { send, atOnce, most, weigh = () => 0, heaviest = Infinity } = options
  let waiting: Array<WaitingCall<Call, Reply>> = []
  let underWay = 0
  let scheduled = false

  function takeBatch (): Array<WaitingCall<Call, Reply>> {
    let weight = 0
    let count = 0
    while (count < waiting.length && count < most) {
      weight += weigh(waiting[count]!.call)
      if (count > 0 && weight > heaviest) break
      count++
    }
    const batch = waiting.slice(0, count)
    waiting = waiting.slice(count)
    return batch
  }

  async function sendBatch (batch: Array<WaitingCall<Call, Reply>>): Promise<void> {
    try {
      const replies = await send(batch.map(({ call }) => call))
      batch.forEach(({ resolve }, at) => { resolve(replies[at]!) })
    } catch (error) {
      for (const { reject } of [...batch, ...waiting.splice(0)]) reject(error)
    }
  }

  function sendWaiting (): void {
    scheduled = false
    while (waiting.length > 0 && underWay < atOnce) {
      underWay++
      void sendBatch(takeBatch()).then(() => {
        underWay--
        sendWaiting()
      })
    }
  }

  return async call => await new Promise<Reply>((resolve, reject) => {
    waiting.push({ call, resolve, reject })
    if (scheduled || underWay >= atOnce) return
    scheduled = true
    setImmediate(sendWaiting)
  })
}
