/**
 * Describes an attempt in the terms of the record: when, what came back, why it
 * was not enough. Pure; its texts are safe to log.
 */
import type { Attempt } from '../model/delivery.js'
import type { Answer } from '../outbound/request.js'

/** The error of an attempt that a stop cut off; it uses no budget. */
export const CUT_OFF = 'cut off by shutdown'

/**
 * @param answer  what came back
 * @param start   the number of the attempt over all generations, its time (epoch
 *                milliseconds) and the replay that ordered it
 */
export function attemptOf (answer: Answer, start: Pick<Attempt, 'number' | 'at' | 'replayId'>): Attempt {
  const answered = 'status' in answer
  // Written out: this runs once per delivery, and a spread would cost more than the rest.
  return {
    number: start.number,
    at: start.at,
    statusCode: answered ? answer.status : null,
    error: answered ? refusalOf(answer.status) : lossOf(answer),
    latencyMs: answer.latencyMs,
    responseExcerpt: answered ? answer.excerpt : null,
    replayId: start.replayId
  }
}

/** Why an answer was not enough; `null` for a 2xx. */
function refusalOf (status: number): string | null {
  if (status >= 200 && status < 300) return null
  if (status === 410) return 'answered 410: the subscriber is gone'
  if (status >= 300 && status < 400) return `answered ${status}: redirects are not followed`
  return `answered ${status}`
}

function lossOf ({ failure, error }: Extract<Answer, { failure: string }>): string {
  return failure === 'aborted' ? CUT_OFF : error
}
