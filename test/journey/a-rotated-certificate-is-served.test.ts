/**
 * A reload renews the certificate of the public endpoint: no restart, and the
 * next connection gets the new one.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { X509Certificate } from 'node:crypto'
import t from '../support/tap.js'
import { makeCertificates, type KeyPair } from '../support/certificates.js'
import { setScene } from '../support/scene.js'

/** The certificate that a new connection is shown. */
async function served (url: string): Promise<string> {
  const { port } = new URL(url)
  return await new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false }, () => {
      resolve(new X509Certificate(socket.getPeerCertificate().raw).fingerprint256)
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

t.test('a reload renews the certificate of the public endpoint', async t => {
  const scene = setScene(t)
  const { server, otherName } = makeCertificates()
  const home = scene.home({})
  const files = { certFile: join(home.dir, 'tls.crt'), keyFile: join(home.dir, 'tls.key') }
  const install = ({ cert, key }: KeyPair): void => {
    writeFileSync(files.certFile, cert)
    writeFileSync(files.keyFile, key)
  }
  install(server)
  home.configure({ ingest: { tls: files } })
  const gateway = await scene.inProcess(home)
  t.match(gateway.ingestUrl, /^https:/)
  t.equal(await served(gateway.ingestUrl), new X509Certificate(server.cert).fingerprint256)

  install(otherName)
  t.equal((await gateway.api('POST', '/api/v1/config/reload')).status, 200)
  t.equal(await served(gateway.ingestUrl), new X509Certificate(otherName.cert).fingerprint256)
})
