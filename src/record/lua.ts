/**
 * The scripts of the record, with the names that they share with TypeScript:
 * each list is defined once, in TypeScript, and inserted into the script.
 */
import { CLAIM_BYTES } from '../model/dedupe.js'
import { loadScript, type Script } from '../redis/script.js'
import { EVENT_FIELDS, HOLD_FIELDS } from './fields.js'

const CONSTANTS = {
  CLAIM_BYTES,
  EVENT_FIELDS,
  /** The position of each name in EVENT_FIELDS, from 1. */
  EVENT_FIELD: Object.fromEntries(EVENT_FIELDS.map((name, at) => [name, at + 1])),
  HOLD_FIELDS
}

/** Like `loadScript`, for a script of the record or one that includes one of its files. */
export function loadRecordScript (url: URL): Script {
  return loadScript(url, CONSTANTS)
}
