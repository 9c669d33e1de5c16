/**
 * An exported function has a doc comment: shape, unit, range, errors and
 * source. Types and constants are left to the reader's judgement, since the
 * comment often belongs to their members.
 */

export default {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: {
      missing: '{{name}} is exported: say in a doc comment what it takes, returns and throws, with units.'
    }
  },

  create (context) {
    const documented = new Set()

    function check (node) {
      const name = functionName(node.declaration)
      if (name === null || documented.has(name)) return
      documented.add(name) // the first of several overloads speaks for all
      const comment = context.sourceCode.getCommentsBefore(node).at(-1)
      if (comment?.type === 'Block' && comment.value.startsWith('*')) return
      context.report({ node, messageId: 'missing', data: { name } })
    }
    return { ExportNamedDeclaration: check, ExportDefaultDeclaration: check }
  }
}

/** The name when the declaration is a function or a constant holding one, else `null`. */
function functionName (declaration) {
  if (declaration === null) return null
  if (/^(FunctionDeclaration|TSDeclareFunction)$/.test(declaration.type)) return declaration.id?.name ?? 'default'
  if (declaration.type !== 'VariableDeclaration') return null
  const [variable] = declaration.declarations
  return /^(ArrowFunctionExpression|FunctionExpression)$/.test(variable.init?.type) ? variable.id.name : null
}
