/** Whether the log of this process is written. */
export interface LogStatus {
  /** Why lines are not written now, as the system says it (`ENOSPC`) or in a few words; `null` while they are. */
  problem: string | null
  /** Lines that were dropped since then. */
  dropped: number
}
