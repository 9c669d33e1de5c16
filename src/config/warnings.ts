/**
 * What is allowed in a configuration and yet probably not meant.
 */
import ipaddr from 'ipaddr.js'
import type { Config } from './config.js'
import { isLoopback } from './rules.js'
import { TOKEN_BOUNDS, TOKEN_HINT } from './secret-kinds.js'

/** Sentences for the start of the gateway and for `check`; none holds a secret. */
export function warnings (config: Config): string[] {
  const { allowFrom, allowlist, trustedProxies } = config.ingest
  return [
    ...config.subscribers.length === 0 ? ['subscribers is empty: callbacks are accepted and recorded, but not delivered'] : [],
    ...allowFrom.length === 0 && allowlist === 'enforce' ? ['ingest.allowFrom is empty: every callback is answered 403'] : [],
    ...allowFrom.filter(hasPrivate).map(network =>
      `ingest.allowFrom has ${network}, which contains loopback or private addresses: behind a proxy that is not in ingest.trustedProxies, every request comes from such an address`),
    ...isLoopback(config.admin.listen.host) ? [] : ['admin.listen is not loopback and uses plain HTTP: anybody on the network path can read its bearer tokens, so allow only a private network or a proxy with TLS to reach it'],
    ...weakTokens(config),
    ...trustedProxies.filter(network => network.endsWith('/0')).map(network =>
      `ingest.trustedProxies has ${network}, which trusts X-Forwarded-For from any address: anybody who sends that header passes ingest.allowFrom`),
    ...isExternal(config) && config.redis.maxMemoryBytes !== null
      ? ['redis.maxMemory is only for the gateway\'s own server: for an external Redis, remove it and set maxmemory on that server']
      : [],
    ...isExternal(config) && config.redis.keepRunning
      ? ['redis.keepRunning is only for the gateway\'s own server: an external Redis is never stopped, so remove it']
      : []
  ]
}

/** On loopback only programs of this machine can guess, and operators may type a token by hand. */
function weakTokens ({ admin: { listen, tokens } }: Config): string[] {
  const least = isLoopback(listen.host) ? TOKEN_BOUNDS.least : TOKEN_BOUNDS.good
  return tokens.filter(({ value }) => value.length < least)
    .map(({ name }) => `the token ${name} in admin.tokens has fewer than ${least} characters and may be guessed; ${TOKEN_HINT}`)
}

function isExternal ({ redis: { url, sentinel, cluster } }: Config): boolean {
  return url !== null || sentinel !== null || cluster !== null
}

/** Addresses that nobody on the internet has: this machine, this network, this provider. */
const PRIVATE = [
  '127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '100.64.0.0/10',
  '::1/128', 'fc00::/7', 'fe80::/10'
].map(range => ipaddr.parseCIDR(range))

function hasPrivate (network: string): boolean {
  const [address, bits] = parse(network)
  return PRIVATE.some(([other, otherBits]) => address.kind() === other.kind() && address.match(other, Math.min(bits, otherBits)))
}

/** Of an address, the range that holds it alone. */
function parse (network: string): ReturnType<typeof ipaddr.parseCIDR> {
  if (network.includes('/')) return ipaddr.parseCIDR(network)
  const address = ipaddr.process(network)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}
