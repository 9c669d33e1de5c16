/**
 * The scripts of the record, with the names that they share with TypeScript:
 * each list stands once, in TypeScript, and is written into the script.
 */
import { CLAIM_BYTES } from '../model/dedupe.js'
import { loadScript, type Script } from '../redis/script.js'
import { EVENT_FIELDS, HOLD_FIELDS } from './fields.js'

const CONSTANTS = {
  CLAIM_BYTES,
  EVENT_FIELDS,
  /** By name, its place in EVENT_FIELDS, from 1. */
  EVENT_FIELD: Object.fromEntries(EVENT_FIELDS.map((name, at) => [name, at + 1])),
  HOLD_FIELDS
}

/** As `loadScript`, for a script that is of the record or includes one of its files. */
export function loadRecordScript (url: URL): Script {
  return loadScript(url, CONSTANTS)
}
