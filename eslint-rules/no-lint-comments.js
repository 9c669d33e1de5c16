/**
 * A rule holds everywhere or it is changed in the configuration, where the
 * reason can be read. ESLint is told to obey no comment (`noInlineConfig`) but
 * only warns of one; here it is an error.
 */

export default {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      comment: 'No lint comments: mend the code, or change the rule in eslint.config.js and say why.'
    }
  },

  create (context) {
    return {
      Program () {
        for (const comment of context.sourceCode.getAllComments()) {
          if (/^\s*eslint(-|\s)/.test(comment.value)) context.report({ loc: comment.loc, messageId: 'comment' })
        }
      }
    }
  }
}
