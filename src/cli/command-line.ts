/**
 * A command for the person at the terminal to type next, aimed at the same
 * gateway as the command before: it works as it is printed.
 */

/** Where the gateway is, as the command line gives it. */
export interface ApiFlags {
  url?: string
  tokenFile?: string
  config?: string
}

const PLAIN = /^[\w@%+=:,./-]+$/

/**
 * `fotor-relay show evt_… --url http://127.0.0.1:8081`.
 *
 * @param words  the command and its own arguments, as a shell takes them
 * @param given  where the gateway is, as the command line before said it
 */
export function commandLine (words: string, { url, tokenFile, config }: ApiFlags = {}): string {
  const flags = [['--url', url], ['--token-file', tokenFile], ['--config', config]] as const
  const place = flags.flatMap(([flag, value]) => value === undefined ? [] : [` ${flag} ${quoted(value)}`])
  return `fotor-relay ${words}${place.join('')}`
}

/** The same for `start`, which takes only the configuration of them. */
export function startLine ({ config }: ApiFlags): string {
  return commandLine('start', config === undefined ? {} : { config })
}

/** A word as a POSIX shell takes it. */
export function quoted (word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
