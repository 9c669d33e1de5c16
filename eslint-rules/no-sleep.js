/**
 * Tests wait for an event or a condition, never for time: a sleep is either
 * too short on a busy machine or too long on every other.
 *
 * Found are `await sleep(…)`, `await setTimeout(…)` (of `timers/promises`) and
 * a promise that a timer resolves. Left alone are a timer that rejects (a
 * deadline) and one that makes a fake server slow.
 */

const SLEEPS = ['sleep', 'delay', 'setTimeout']

export default {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      sleep: 'No sleeping: wait for the event or the condition that the time stands for.'
    }
  },

  create (context) {
    const report = node => { context.report({ node, messageId: 'sleep' }) }
    const sleeps = new Set(SLEEPS)
    return {
      ImportSpecifier (node) {
        if (node.imported.name === 'setTimeout') sleeps.add(node.local.name)
      },
      AwaitExpression (node) {
        if (sleeps.has(calledName(node.argument))) report(node)
      },
      NewExpression (node) {
        if (node.callee.name !== 'Promise') return
        const [executor] = node.arguments
        const resolve = executor?.params?.[0]?.name
        if (resolve === undefined) return
        for (const call of directCalls(executor.body)) {
          if (calledName(call) === 'setTimeout' && fires(call.arguments[0], resolve)) report(call)
        }
      }
    }
  }
}

/** `sleep` of `sleep(1)` and of `timers.sleep(1)`; a method that delays something takes more than the time. */
function calledName (node) {
  if (node?.type !== 'CallExpression') return null
  const { callee, arguments: given } = node
  return callee.name ?? (given.length > 1 && callee.property?.name === 'delay' ? null : callee.property?.name) ?? null
}

/** The calls an executor makes itself: its whole body, or the statements of it. */
function directCalls (body) {
  if (body.type !== 'BlockStatement') return [body]
  return body.body.flatMap(statement => {
    if (statement.type === 'ExpressionStatement') return [statement.expression]
    if (statement.type === 'VariableDeclaration') return statement.declarations.map(({ init }) => init)
    return []
  })
}

/** Whether a timer's callback is `resolve`, or does nothing but call it. */
function fires (callback, resolve) {
  if (callback?.type === 'Identifier') return callback.name === resolve
  const body = callback?.body
  const only = body?.type === 'BlockStatement' && body.body.length === 1 ? body.body[0].expression : body
  return only?.type === 'CallExpression' && only.callee.name === resolve
}
