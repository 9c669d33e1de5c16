/**
 * Loaded before the gateway: names that stand in the file that NAMES names are
 * resolved as it says; all others as ever.
 */
import dns from 'node:dns'
import { readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const SILENT_MS = 3_000
const { lookup } = dns

function failed (code, hostname) {
  return Object.assign(new Error(`getaddrinfo ${code} ${hostname}`), { code, syscall: 'getaddrinfo', hostname })
}

dns.lookup = (hostname, options, callback) => {
  let names
  try {
    names = JSON.parse(readFileSync(process.env.NAMES, 'utf8'))
  } catch (error) { // as the real one, which needs a descriptor as well
    setImmediate(callback, failed(error.code ?? 'EAI_FAIL', hostname))
    return
  }
  const answer = names[hostname]
  if (answer === undefined) lookup(hostname, options, callback)
  else if (answer === 'unknown') setImmediate(callback, failed('ENOTFOUND', hostname))
  else if (answer === 'silent') setTimeout(callback, SILENT_MS, failed('EAI_AGAIN', hostname))
  else if (options.all === true) setImmediate(callback, null, [{ address: answer, family: 4 }])
  else setImmediate(callback, null, answer, 4)
}
syncBuiltinESMExports()
