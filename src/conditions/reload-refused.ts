/** The last reload was refused: the file and the running configuration differ. */
import { found, type ConditionRule } from './condition.js'

export const reloadRefused: ConditionRule = {
  name: 'reload-refused',
  severity: 'warning',
  of: 'replica',
  isReason: true,
  find: ({ refusedFaults: faults }) => found(faults === 0
    ? null
    : `the last reload was refused (${faults} ${faults === 1 ? 'fault' : 'faults'}); the previous configuration stays in use`)
}
