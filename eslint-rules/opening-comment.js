/**
 * Each file opens with a comment: what it is for, what it promises, what it
 * never does. Whether the comment is true is for a reader to judge; that there
 * is one, before anything else, is judged here.
 */

/** Shorter than this is a title, not an answer; characters without stars and white space. */
const LEAST_CHARACTERS = 20

export default {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: {
      missing: 'Open the file with a block comment: what it is for, what it promises, what it never does.'
    }
  },

  create (context) {
    return {
      Program (node) {
        const { sourceCode } = context
        const first = sourceCode.getAllComments().find(comment => comment.type !== 'Shebang')
        const token = sourceCode.getFirstToken(node)
        const opens = first?.type === 'Block' && (token === null || first.range[1] <= token.range[0])
        if (opens && first.value.replace(/[\s*]/g, '').length >= LEAST_CHARACTERS) return
        context.report({ loc: { line: 1, column: 0 }, messageId: 'missing' })
      }
    }
  }
}
