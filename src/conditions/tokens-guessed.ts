/** Somebody tries tokens on the admin API. */
import { found, type ConditionRule } from './condition.js'

export const tokensGuessed: ConditionRule = {
  name: 'tokens-guessed',
  severity: 'warning',
  of: 'replica',
  isReason: false,
  find ({ guesses }) {
    if (guesses === 0) return []
    return found(`${guesses} wrong tokens came to the admin API, 20 or more within a minute: somebody guesses. ` +
      'admin.refused in the log names the addresses; let nobody but operators reach admin.listen', { guesses })
  }
}
