/**
 * The name of an admin token: its own, or one by its place in the list.
 */

/** @param at  index in `admin.tokens`; the first unnamed token is `token-1` */
export function tokenName<N extends string | undefined> (token: string | { name?: N }, at: number): string | N | undefined {
  return typeof token === 'string' ? `token-${at + 1}` : token.name
}
