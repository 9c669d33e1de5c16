/**
 * Protects an admin listener on loopback from web pages: a page in a browser on
 * this machine may map its own name to our address (DNS rebinding), but the
 * browser still sends that name as Host.
 */
import { isIP, type AddressInfo } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { RelayError } from '../model/errors.js'

/**
 * Refuses a request if the app listens on loopback only and the request names
 * another host than `localhost`. An address is allowed: it needs no DNS.
 *
 * @throws RelayError FORBIDDEN
 */
export function mustBeForThisHost (app: FastifyInstance, request: FastifyRequest): void {
  const { host } = request.headers
  if (host === undefined || isLocalName(host)) return
  const addresses = app.addresses()
  if (addresses.length === 0 || !addresses.every(isLoopback)) return
  throw new RelayError('FORBIDDEN', 'This listener serves this machine only. Use localhost or its IP address in the URL.')
}

function isLocalName (host: string): boolean {
  const name = host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1')
  return isIP(name) !== 0 || name.toLowerCase() === 'localhost'
}

function isLoopback (bound: AddressInfo | string): boolean {
  if (typeof bound === 'string') return false
  const { address } = bound
  return address === '::1' || /^(::ffff:)?127\./.test(address)
}
