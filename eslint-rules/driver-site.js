/**
 * One import site per driver, so that a new major version of one is a change
 * in one folder, and nobody reaches past the part that guards it.
 *
 * Options: one object, from a package (or a scope, `@fastify`) to the folders
 * or files that may import it, its types included. Only src is judged.
 */
import { eachImport } from './each-import.js'
import { projectPath } from './project-path.js'

export default {
  meta: {
    type: 'problem',
    schema: [{ type: 'object', additionalProperties: { type: 'array', items: { type: 'string' } } }],
    messages: {
      elsewhere: '{{driver}} is imported in {{sites}} and nowhere else: use what is exported there.'
    }
  },

  create (context) {
    const drivers = context.options[0]
    const path = projectPath(context)

    return eachImport(({ specifier, node }) => {
      const driver = packageNames(specifier).find(name => Object.hasOwn(drivers, name))
      if (driver === undefined) return
      const sites = drivers[driver]
      if (sites.some(site => path === site || path.startsWith(site + '/'))) return
      context.report({ node, messageId: 'elsewhere', data: { driver, sites: sites.join(', ') } })
    })
  }
}

/** `undici/types/agent` belongs to `undici`; `@fastify/cors` to itself and to `@fastify`. */
function packageNames (specifier) {
  const [first, second] = specifier.split('/')
  return first.startsWith('@') ? [`${first}/${second}`, first] : [first]
}
