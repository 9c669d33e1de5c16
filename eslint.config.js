/**
 * How the code reads, as far as a linter can hold it. `test/lint/` plants a
 * violation of every rule of ours and sees it caught.
 */
import neostandard from 'neostandard'

export default [
  ...neostandard({ ts: true, ignores: ['dist/**', 'node_modules/**', '.tap/**'] })
]
