/**
 * Colours, on a terminal only. Never if NO_COLOR is set (https://no-color.org)
 * or the terminal is a dumb one.
 */

const CODES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const

/** One function per colour: returns the coloured text, or the text unchanged. */
export type Paint = Readonly<Record<keyof typeof CODES, (text: string) => string>>

/** @param isTerminal  whether the text goes to a terminal */
export function paintFor (isTerminal: boolean, env: NodeJS.ProcessEnv): Paint {
  const coloured = isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
  const entries = Object.entries(CODES).map(([name, [on, off]]) =>
    [name, (text: string) => coloured ? `\u001b[${on}m${text}\u001b[${off}m` : text] as const)
  return Object.fromEntries(entries) as Paint
}
