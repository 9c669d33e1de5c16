/**
 * Sizes as people write them: `256kb` or `1mb`, in units of 1024, nothing else.
 */
import { isBareNumber } from './duration.js'
import type { Reading } from './reading.js'

const UNITS_BYTES = { kb: 1024, mb: 1024 * 1024 } as const
type Unit = keyof typeof UNITS_BYTES

/** The syntax of a size, for editors. */
export const SIZE_PATTERN = '^(0|[1-9][0-9]*)(kb|mb)$'

/**
 * Reads `256kb` or `1mb`.
 *
 * @returns bytes, 0 to 1 TiB
 */
export function parseSize (written: unknown): Reading<number> {
  if (isBareNumber(written)) {
    const number = typeof written === 'number' ? written : 256
    const inBytes = number >= 1024 && number % 1024 === 0
    return { problem: 'has no unit', hint: inBytes ? `write ${formatSize(number)} for that number of bytes` : `write ${number}kb or ${number}mb` }
  }
  const parts = typeof written === 'string' ? new RegExp(SIZE_PATTERN).exec(written) : null
  if (parts === null) return { problem: 'is not a size', hint: gigabytes(written) ?? 'write a whole number and a unit: 256kb or 1mb' }
  const bytes = Number(parts[1]) * UNITS_BYTES[parts[2] as Unit]
  if (bytes > 1024 ** 4) return { problem: 'is larger than 1048576mb' }
  return { value: bytes }
}

/** The hint for `2gb`: each size has one spelling, and no unit exists that only some keys need. */
function gigabytes (written: unknown): string | undefined {
  const parts = typeof written === 'string' ? /^([1-9]\d{0,2}) ?gi?b?$/i.exec(written) : null
  return parts === null ? undefined : `write ${Number(parts[1]) * 1024}mb`
}

/** The shortest exact way to write a number of bytes: 1048576 is `1mb`. */
export function formatSize (bytes: number): string {
  if (bytes === 0) return '0kb'
  const unit = (['mb', 'kb'] as const).find(name => bytes % UNITS_BYTES[name] === 0)
  return unit === undefined ? `${bytes} bytes` : `${bytes / UNITS_BYTES[unit]}${unit}`
}
