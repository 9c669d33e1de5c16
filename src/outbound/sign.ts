/**
 * The signature by which a receiver knows that the body comes from us. Standard
 * Webhooks, version 1.
 *
 * Pure. Signs bytes, never text, so nothing is re-encoded.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'

export interface SignedContent {
  /** The `webhook-id`; holds no dot. */
  id: string
  /** The `webhook-timestamp`, seconds. */
  timestamp: number
  body: Buffer
}

/**
 * @param content  the parts that are signed: `<id>.<timestamp>.<body>`
 * @param secrets  `whsec_` and base64; every one signs, so that a rotation can overlap; at least one
 * @returns        the value of `webhook-signature`: `v1,<base64>`, separated by spaces
 * @see            Standard Webhooks, "Signature scheme"
 */
export function sign ({ id, timestamp, body }: SignedContent, secrets: readonly string[]): string {
  return keysOf(secrets)
    .map(key => createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64'))
    .map(signature => `v1,${signature}`)
    .join(' ')
}

/** By the list in the running configuration: a rotated secret comes with a new list, and the old keys go with the old list. */
const known = new WeakMap<readonly string[], KeyObject[]>()

function keysOf (secrets: readonly string[]): KeyObject[] {
  let keys = known.get(secrets)
  if (keys === undefined) known.set(secrets, keys = secrets.map(keyOf))
  return keys
}

function keyOf (secret: string): KeyObject {
  return createSecretKey(Buffer.from(secret.replace(/^whsec_/, ''), 'base64'))
}
