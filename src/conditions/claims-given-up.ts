/** There was too little memory for the claims of deleted events: late duplicates are no longer recognised. */
import { found, type ConditionRule } from './condition.js'

export const claimsGivenUp: ConditionRule = {
  name: 'claims-given-up',
  severity: 'warning',
  of: 'relay',
  // It lasts as long as the window, and an operator cannot restore forgotten claims.
  isReason: false,
  find ({ claims }) {
    if (claims === null || claims.forgottenBefore === null) return []
    const { forgottenBefore, claims: kept } = claims
    return found(
      `a duplicate of a callback from before ${new Date(forgottenBefore).toISOString()} is no longer recognised: there was too little memory for more claims`,
      { claims: kept, forgottenBefore }
    )
  }
}
