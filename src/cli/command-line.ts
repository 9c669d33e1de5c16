/**
 * Makes a command line for the person at the terminal to type next. It addresses
 * the same gateway as the previous command, and works exactly as printed.
 */

/** The flags that locate the gateway. */
export interface ApiFlags {
  url?: string
  tokenFile?: string
  config?: string
}

const PLAIN = /^[\w@%+=:,./-]+$/

/**
 * `fotor-relay show evt_… --url http://127.0.0.1:8081`.
 *
 * @param words  the command and its own arguments, quoted for a shell
 * @param given  the location flags of the previous command
 */
export function commandLine (words: string, { url, tokenFile, config }: ApiFlags = {}): string {
  const flags = [['--url', url], ['--token-file', tokenFile], ['--config', config]] as const
  const place = flags.flatMap(([flag, value]) => value === undefined ? [] : [` ${flag} ${quoted(value)}`])
  return `fotor-relay ${words}${place.join('')}`
}

/** The same for `start`, which takes only the configuration file. */
export function startLine ({ config }: ApiFlags): string {
  return commandLine('start', config === undefined ? {} : { config })
}

/** A word in the syntax of a POSIX shell. */
export function quoted (word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
