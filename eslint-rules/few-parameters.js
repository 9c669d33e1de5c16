/**
 * At most three parameters, then one options object: a fourth positional
 * argument cannot be read at the call.
 *
 * A last parameter is an options object when its type says so: an object
 * written out in place, or a type whose name ends in `Options`.
 */

const MOST = 3

export default {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: {
      tooMany: '{{count}} parameters: at most {{most}}, then one object whose type is written out or named …Options.'
    }
  },

  create (context) {
    function check (node) {
      const positional = node.params.filter(parameter => parameter.name !== 'this')
      if (positional.length > MOST && isOptions(positional.at(-1))) positional.pop()
      if (positional.length <= MOST) return
      context.report({ loc: node.params[MOST].loc, messageId: 'tooMany', data: { count: node.params.length, most: MOST } })
    }
    return {
      FunctionDeclaration: check,
      FunctionExpression: check,
      ArrowFunctionExpression: check,
      TSDeclareFunction: check,
      TSEmptyBodyFunctionExpression: check
    }
  }
}

function isOptions (parameter) {
  const named = parameter.type === 'AssignmentPattern' ? parameter.left : parameter
  const type = named.typeAnnotation?.typeAnnotation
  return type?.type === 'TSTypeLiteral' || /Options$/.test(type?.typeName?.name ?? '')
}
