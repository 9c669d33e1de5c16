/**
 * One word for one thing: a folder, a file, an exported name or a fact of src
 * is made of words that the glossary lists. So a reader learns the words once,
 * and whoever needs a new one says what it means.
 *
 * What a `.d.ts` file declares is named by others; only its own name is judged.
 *
 * Options: the path of the glossary, from the project's root.
 */
import { resolve } from 'node:path'
import { readGlossary, wordsOf } from './glossary.js'
import { projectPath } from './project-path.js'

export default {
  meta: {
    type: 'problem',
    schema: [{ type: 'string' }],
    messages: {
      unlisted: '"{{word}}" in "{{name}}" is not in {{glossary}}: use a word of it, or add this one there with its meaning.',
      old: '"{{word}}" in "{{name}}" is an old word: {{glossary}} says "{{newWord}}" now.'
    }
  },

  create (context) {
    const [place] = context.options
    const glossary = readGlossary(resolve(context.cwd, place))

    function check (node, name) {
      for (const word of wordsOf(name)) {
        if (glossary.has(word)) continue
        const newWord = glossary.newWordFor(word)
        context.report({ node, messageId: newWord === undefined ? 'unlisted' : 'old', data: { word, name, newWord, glossary: place } })
      }
    }

    const path = projectPath(context)
    const checkPath = {
      Program (node) {
        for (const part of path.split('/').slice(1)) check(node, part.split('.')[0])
      }
    }
    if (path.endsWith('.d.ts')) return checkPath

    return {
      ...checkPath,
      ExportNamedDeclaration ({ declaration, specifiers }) {
        for (const { exported } of specifiers) check(exported, exported.name ?? exported.value)
        for (const name of declaredBy(declaration)) check(name, name.name)
      },
      ExportDefaultDeclaration ({ declaration }) {
        for (const name of declaredBy(declaration)) check(name, name.name)
      },
      'TSPropertySignature[key.name="fact"] Literal' (node) { check(node, String(node.value)) }
    }
  }
}

/** The identifiers that a declaration gives a name to. */
function declaredBy (declaration) {
  const declared = declaration?.declarations?.map(({ id }) => id) ?? [declaration?.id]
  return declared.flatMap(namesIn)
}

/** Those of a pattern as well: `const { a, b: c } = …` names a and c. */
function namesIn (pattern) {
  switch (pattern?.type) {
    case 'Identifier': return [pattern]
    case 'ObjectPattern': return pattern.properties.flatMap(one => namesIn(one.value ?? one.argument))
    case 'ArrayPattern': return pattern.elements.flatMap(namesIn)
    case 'AssignmentPattern': return namesIn(pattern.left)
    case 'RestElement': return namesIn(pattern.argument)
    default: return []
  }
}
