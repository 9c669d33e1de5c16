/**
 * Progress of long work: one line on a terminal, which is redrawn. Without a
 * terminal it draws nothing, so logs and pipes stay clean.
 */
import { cutTo } from './plain-text.js'

export interface Progress {
  /** @param done  of `total`; both ≥ 0 */
  show (done: number, total: number, says: string): void
  /** Clears the line, so that other output starts on an empty line. */
  end (): void
}

/** Where the line is drawn. */
export interface ProgressPlace {
  /** `false` draws nothing. */
  isTerminal: boolean
  columns: number
  write: (text: string) => void
}

const BAR_COLUMNS = 24
const START_OF_LINE = '\r\u001b[K'

/** @returns a line that each `show` draws and `end` clears */
export function progressOn ({ isTerminal, columns, write }: ProgressPlace): Progress {
  let drawn = false
  return {
    show (done, total, says) {
      if (!isTerminal) return
      drawn = true
      write(START_OF_LINE + cutTo(`${bar(done, total)} ${says}`, Math.max(1, columns - 1)))
    },
    end () {
      if (drawn) write(START_OF_LINE)
      drawn = false
    }
  }
}

function bar (done: number, total: number): string {
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const full = Math.floor(share * BAR_COLUMNS)
  return `[${'█'.repeat(full)}${'·'.repeat(BAR_COLUMNS - full)}] ${Math.floor(share * 100)} %`
}
