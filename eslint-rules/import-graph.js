/**
 * Downstream only: which folder of src may import which.
 *
 * Options: one object, from a folder (or a file at the root of src) to the
 * folders it may import. `'*'` is all of them but main.ts, which nobody
 * imports; `'redis (types)'` lets types through and nothing that runs. A folder that is not in the table may neither
 * import nor be imported: whoever adds one says where it stands.
 */
import { eachImport } from './each-import.js'
import { importedPath, projectPath } from './project-path.js'

export default {
  meta: {
    type: 'problem',
    schema: [{ type: 'object', additionalProperties: { type: 'array', items: { type: 'string' } } }],
    messages: {
      upstream: '{{from}} may not import {{to}} (the import graph is in eslint.config.js). Pass it in, or move the word both need to model/.',
      typesOnly: '{{from}} may import only types from {{to}}: write `import type`.',
      unknown: '{{folder}} is not in the import graph: add it to the table in eslint.config.js.'
    }
  },

  create (context) {
    const graph = context.options[0]
    const from = placeOf(projectPath(context))
    if (from === null) return {}
    const allowed = graph[from]
    if (allowed === undefined) {
      return { Program: node => { context.report({ node, messageId: 'unknown', data: { folder: from } }) } }
    }

    return eachImport(({ specifier, typesOnly, node }) => {
      const target = importedPath(context, specifier)
      if (target === null) return
      const to = placeOf(target) ?? target
      if (to === from || allowed.includes(to)) return
      if (allowed.includes('*') && graph[to] !== undefined && to !== 'main.ts') return
      const types = allowed.includes(`${to} (types)`)
      if (types && typesOnly) return
      context.report({ node, messageId: types ? 'typesOnly' : 'upstream', data: { from, to } })
    })
  }
}

/** `src/queue/worker.ts` is in `queue`; `src/main.ts` is `main.ts` itself; `null` outside src. */
function placeOf (path) {
  const [root, first] = path.split('/')
  return root === 'src' && first !== undefined ? first : null
}
