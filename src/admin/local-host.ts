/**
 * Keeps web pages away from an admin listener that only this machine can
 * reach: a page in a browser here may give its own name our address (DNS
 * rebinding), but the browser then still sends that name as Host.
 */
import { isIP, type AddressInfo } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { RelayError } from '../model/errors.js'

/**
 * Lets a request pass unless the app listens on loopback only and the request
 * is for another name than `localhost`. An address needs no name to resolve.
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
