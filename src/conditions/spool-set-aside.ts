/** The spool has files that cannot be accepted. */
import { found, type ConditionRule } from './condition.js'

export const spoolSetAside: ConditionRule = {
  name: 'spool-set-aside',
  severity: 'warning',
  of: 'replica',
  isReason: true,
  find ({ spool }) {
    if (spool === null || spool.setAside === 0) return []
    const { setAside: files } = spool
    return found(`the spool has set ${files} ${files === 1 ? 'file' : 'files'} aside that cannot be accepted: inspect them, then remove them`, { files })
  }
}
