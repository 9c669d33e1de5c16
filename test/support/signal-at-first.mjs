/** Loaded into a process: it is sent SIGNAL_AT_FIRST at the first moment at which it can hear of one, and CAUGHT_BEFORE is told what it had loaded by then. */
import { appendFileSync } from 'node:fs'
import { register } from 'node:module'

const { SIGNAL_AT_FIRST: signal, LOADED_FILE: file } = process.env

if (signal !== undefined) {
  process.once('newListener', function onFirst (name) {
    if (name !== signal) return process.once('newListener', onFirst)
    appendFileSync(file, 'caught\n')
    setImmediate(() => { process.kill(process.pid, signal) })
  })
  register(`data:text/javascript,${encodeURIComponent(`
    import { appendFileSync } from 'node:fs'
    export async function load (url, context, next) {
      if (url.startsWith('file:')) appendFileSync(${JSON.stringify(file)}, url.slice(url.lastIndexOf('/dist/') + 1) + '\\n')
      return await next(url, context)
    }
  `)}`)
}
