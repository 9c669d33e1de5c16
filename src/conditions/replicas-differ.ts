/** Replicas run different configurations. */
import { found, type ConditionRule } from './condition.js'

export const replicasDiffer: ConditionRule = {
  name: 'replicas-differ',
  severity: 'warning',
  of: 'relay',
  isReason: true,
  find: ({ replicasTrouble }) => found(replicasTrouble)
}
