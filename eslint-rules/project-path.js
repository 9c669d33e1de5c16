/**
 * Where a file lies in the project. Rules speak of `src/queue/…`, never of an
 * absolute path, so a fixture tree is judged like the project itself.
 */
import { dirname, posix, relative, resolve, sep } from 'node:path'

/**
 * The path of the file being linted.
 *
 * @param context  ESLint's rule context
 * @returns        relative to the project's root, parted by `/`
 */
export function projectPath (context) {
  return fromRoot(context, context.filename)
}

/**
 * The file that a relative import names.
 *
 * @param context    ESLint's rule context
 * @param specifier  as written, `../model/event.js`
 * @returns          `src/model/event.ts`: the source, not what the compiler makes of it;
 *                   `null` when the specifier names a package
 */
export function importedPath (context, specifier) {
  if (!specifier.startsWith('.')) return null
  const target = resolve(dirname(context.filename), specifier)
  return fromRoot(context, target).replace(/\.js$/, '.ts')
}

function fromRoot (context, file) {
  return relative(context.cwd, file).split(sep).join(posix.sep)
}
