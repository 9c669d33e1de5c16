/**
 * The callbacks that every measure posts: the vendor's avatar example in its
 * size and shape, told apart by `taskId`.
 */
import { randomBytes } from 'node:crypto'

const BUSINESS = '75f15294e55540e198bb19cc0a068fd2'

/** A subscriber finds the time here at which the callback was due, microseconds of `nowUs`. */
const DUE_FIELD = '"benchDueUs":'

const image = (id: string): object => ({
  id,
  url: `https://static.fotor.com.cn/aigc/business/${BUSINESS}/avatar/20241126/${id}.jpg`,
  hasHsfw: false
})

const REST = JSON.stringify({
  status: 1,
  businessId: BUSINESS,
  type: 'avatar',
  resultUrl: '',
  avatarResult: [
    { templateId: 'd691196a-6daa-4bf9-a011-5422d95ce03f', images: [image('4a19223cef7b4094a4f66c7de57f7ef4')] },
    { templateId: '74d8ef37-4864-480b-927a-dde52e429609', images: [image('e20cb71b42474fc1a0750cb7627720b5')] },
    { templateId: '7292c5b5-ecb0-4868-b4a4-849c73cc302c', images: [image('a2773ff7d3534a6ca8735ef7ad4f3f3d')] }
  ]
}).slice(1)

/** Names tasks that no other process and no other run has. */
export function taskNames (): () => string {
  const mine = randomBytes(8).toString('hex')
  let count = 0
  return () => mine + (++count).toString(16).padStart(16, '0')
}

/** A callback; ASCII only, so its length in characters is its length in bytes. */
export function bodyOf (taskId: string, dueUs: number): string {
  return `{"taskId":"${taskId}",${DUE_FIELD}${dueUs},${REST}`
}

/** How long a body is, bytes, give or take the digits of its time. */
export const BODY_BYTES = bodyOf('0'.repeat(32), 10_000_000_000).length

/** The time at which a callback was due, from its bytes; NaN when it is not there. */
export function dueUsOf (body: Buffer): number {
  const at = body.indexOf(DUE_FIELD)
  return at === -1 ? NaN : Number.parseInt(body.toString('latin1', at + DUE_FIELD.length, at + DUE_FIELD.length + 20), 10)
}
