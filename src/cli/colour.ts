/**
 * Colour, on a terminal only. Never when NO_COLOR is set (https://no-color.org)
 * or the terminal is a dumb one.
 */

const CODES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const

/** Source of a pattern that fits what a {@link Paint} writes around a text. */
export const COLOURS = `\\u001b\\[(?:${[...new Set(Object.values(CODES).flat())].join('|')})m`

/** One function for each colour: the text in it, or the text as it is. */
export type Paint = Readonly<Record<keyof typeof CODES, (text: string) => string>>

/** Whether what is written to a stream may have colours. */
export function hasColours (isTerminal: boolean, env: NodeJS.ProcessEnv): boolean {
  return isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
}

/** @param isTerminal  of the stream that the text will be written to */
export function paintFor (isTerminal: boolean, env: NodeJS.ProcessEnv): Paint {
  const coloured = hasColours(isTerminal, env)
  const entries = Object.entries(CODES).map(([name, [on, off]]) =>
    [name, (text: string) => coloured ? `\u001b[${on}m${text}\u001b[${off}m` : text] as const)
  return Object.fromEntries(entries) as Paint
}
