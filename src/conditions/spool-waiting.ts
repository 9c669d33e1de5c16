/** Callbacks wait in the spool until Redis takes them. */
import type { SpoolStatus } from '../accept/spool/spooling.js'
import { formatSize } from '../config/size.js'
import { found, type ConditionRule } from './condition.js'

export const spoolWaiting: ConditionRule = {
  name: 'spool-waiting',
  severity: 'warning',
  of: 'replica',
  isReason: true,
  find ({ spool, now }) {
    if (spool === null || spool.oldestAt === null) return []
    const { callbacks, bytes } = spool
    const figures = spoolFigures(spool, now)
    const wait = callbacks === 1 ? 'callback waits' : 'callbacks wait'
    return found(`${callbacks} ${wait} in the spool (${formatSize(toWholeKilobytes(bytes))}), the oldest for ${figures.oldestAgeSeconds} s`, figures)
  }
}

/** The contents of the spool in numbers. */
export function spoolFigures ({ callbacks, bytes, maxBytes, oldestAt }: SpoolStatus, now: number): Record<'callbacks' | 'bytes' | 'maxBytes' | 'oldestAgeSeconds', number> {
  return { callbacks, bytes, maxBytes, oldestAgeSeconds: Math.max(0, Math.round((now - (oldestAt ?? now)) / 1_000)) }
}

function toWholeKilobytes (bytes: number): number {
  return Math.ceil(bytes / 1_024) * 1_024
}
