/**
 * Paths to fields of a body, as the configuration writes them: names joined
 * by `.`, and `[]` for every element of an array.
 *
 *   avatarResult[].images[].url
 *
 * One notation for every key that names fields. A name that itself holds one
 * of `.`, `[`, `]` and `*` cannot be written; no field of Fotor's has such a
 * name.
 */

/** The step into every element of an array; any other step is the name of a field. */
const EACH = '[]'

const NAME = '[^.*\\[\\]]+(?:\\[\\])*'

/** What a path looks like: no more than 256 characters, and without the `$.` that other notations begin with. */
export const FIELD_PATH_PATTERN = `^(?!\\$\\.)(?=.{1,256}$)${NAME}(?:\\.${NAME})*$`

const FIELD_PATH = new RegExp(FIELD_PATH_PATTERN, 'u')

/** Several paths as one: where a reader of a body stands, and what lies ahead. */
export interface FieldTree {
  /** By name, what is looked for in that field of an object. */
  readonly names: ReadonlyMap<string, FieldTree>
  /** What is looked for in every element of an array. */
  readonly each: FieldTree | null
  /** The place in the list of the path that ends here. */
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
 * Joins paths.
 *
 * @param paths  each of them is a path, see {@link isFieldPath}, and none is there twice
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
