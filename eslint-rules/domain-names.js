/**
 * Nothing is called utils: a file or folder is named for what it does. A name
 * that fits everything collects everything.
 */
import { projectPath } from './project-path.js'

/** Refused as a whole name and as the last word of one (`redis-helpers`). */
const EMPTY_WORDS = ['util', 'utils', 'helper', 'helpers', 'common', 'lib', 'manager', 'managers', 'misc']
/** Refused as a whole name only: `content-types` says something. */
const EMPTY_NAMES = ['types', 'type', 'services', 'service']

export default {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      empty: '"{{name}}" says nothing: name it for what it does, with a word of the glossary.'
    }
  },

  create (context) {
    return {
      Program (node) {
        const names = projectPath(context).split('/').map(part => part.split('.')[0])
        for (const name of names.filter(isEmpty)) {
          context.report({ node, messageId: 'empty', data: { name } })
        }
      }
    }
  }
}

function isEmpty (name) {
  const words = name.toLowerCase().split(/[-_]/)
  return EMPTY_WORDS.includes(words.at(-1)) || EMPTY_NAMES.includes(name.toLowerCase())
}
