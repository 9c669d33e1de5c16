/**
 * Certificates for tests, made by the `openssl` program: an authority, what it
 * signed, and an authority nobody trusts. Node can use certificates but not
 * make them.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const HERE = 'IP:127.0.0.1,DNS:*.relay.invalid'

export interface KeyPair { cert: string, key: string }

export interface Certificates {
  ca: string
  /** For 127.0.0.1 and every name in `relay.invalid`, signed by `ca`. */
  server: KeyPair
  /** The same, over since yesterday. */
  expired: KeyPair
  /** For other.invalid, signed by `ca`. */
  otherName: KeyPair
  /** For clients, signed by `ca`. */
  client: KeyPair
  /** An authority that signed none of these. */
  strangerCa: string
}

/** Makes a fresh set; takes a fraction of a second. Throws when there is no `openssl`. */
export function makeCertificates (): Certificates {
  const dir = mkdtempSync(join(tmpdir(), 'relay-tls-'))
  const openssl = (...args: string[]): void => { execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' }) }
  const read = (file: string): string => readFileSync(join(dir, file), 'utf8')

  function authority (name: string): string {
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
      '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.crt`)
    return read(`${name}.crt`)
  }

  function signed (name: string, names: string, days = '2'): KeyPair {
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
      '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`)
    writeFileSync(join(dir, `${name}.ext`), `subjectAltName=${names}\n`)
    openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial',
      '-days', days, '-extfile', `${name}.ext`, '-out', `${name}.crt`)
    return { cert: read(`${name}.crt`), key: read(`${name}.key`) }
  }

  try {
    const ca = authority('ca')
    return {
      ca,
      server: signed('server', HERE),
      otherName: signed('other', 'DNS:other.invalid'),
      expired: signed('expired', HERE, '-1'),
      client: signed('client', 'DNS:gateway.invalid'),
      strangerCa: authority('stranger')
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
