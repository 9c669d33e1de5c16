/**
 * Who we are, for the file system.
 *
 * Asks for the number and for nothing else: a container may run under one that
 * no user has (`docker run --user 12345`), and whoever looks its name up fails.
 */

/** The user id that this process acts under; -1 on a system that has none. */
export function ownUid (): number {
  return process.geteuid?.() ?? -1
}
