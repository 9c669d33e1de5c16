/**
 * Paths to fields of a body, as in the configuration: names joined by `.`, and
 * `[]` for every element of an array.
 *
 *   avatarResult[].images[].url
 *
 * Every key that names fields uses this notation. A name that contains `.`, `[`,
 * `]` or `*` cannot be written; Fotor has no such field.
 */

/** The step into every element of an array; any other step is the name of a field. */
const EACH = '[]'

const NAME = '[^.*\\[\\]]+(?:\\[\\])*'

/** The syntax of a path: at most 256 characters, and without the `$.` of other notations. */
export const FIELD_PATH_PATTERN = `^(?!\\$\\.)(?=.{1,256}$)${NAME}(?:\\.${NAME})*$`

const FIELD_PATH = new RegExp(FIELD_PATH_PATTERN, 'u')

/** Several paths as one tree: the position of a reader in a body, and what follows it. */
export interface FieldTree {
  /** By name, the subtree of that field of an object. */
  readonly names: ReadonlyMap<string, FieldTree>
  /** The subtree of every element of an array. */
  readonly each: FieldTree | null
  /** The position in the list of the path that ends here. */
  readonly end: number | null
}

interface GrowingTree {
  names: Map<string, GrowingTree>
  each: GrowingTree | null
  end: number | null
}

/** Whether a text is a path. */
export function isFieldPath (text: string): boolean {
  return FIELD_PATH.test(text)
}

/**
 * Joins paths into a tree.
 *
 * @param paths  each is a path, see {@link isFieldPath}, and no two are equal
 * @returns      the tree from the top of a body
 */
export function fieldTreeOf (paths: readonly string[]): FieldTree {
  const top = emptyTree()
  for (const [at, path] of paths.entries()) {
    let here = top
    for (const step of stepsOf(path)) here = into(here, step)
    here.end = at
  }
  return top
}

function emptyTree (): GrowingTree {
  return { names: new Map(), each: null, end: null }
}

function into (tree: GrowingTree, step: string): GrowingTree {
  if (step === EACH) {
    tree.each ??= emptyTree()
    return tree.each
  }
  const known = tree.names.get(step)
  if (known !== undefined) return known
  const added = emptyTree()
  tree.names.set(step, added)
  return added
}

function stepsOf (path: string): string[] {
  return path.replaceAll(EACH, '.' + EACH).split('.')
}
