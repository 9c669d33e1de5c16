/**
 * The one description of the configuration: every key with its unit, its
 * default and one sentence for the person who edits the YAML. The reader, the
 * defaults, `config/relay.schema.json` and the list of keys that need a
 * restart all come from here, and no default stands anywhere else.
 */
import type { Static, TSchema } from 'typebox'
import type { Match } from '../model/match.js'
import { reference } from './interpolate.js'
import { block, choice, decimal, either, flag, group, list, named, optional, scalar, whole } from './schema-words.js'

const serverTls = group('Serve HTTPS instead of HTTP; both files are read again at every reload.', {
  certFile: optional(scalar('pemFile', 'PEM file of the certificate and its chain.')),
  keyFile: optional(scalar('pemFile', 'PEM file of the private key.'))
}, { restart: 'added or removed' })

const clientTls = {
  caFile: optional(scalar('pemFile', 'PEM file of the authority that signed the other side; the well-known ones when absent.')),
  certFile: optional(scalar('pemFile', 'PEM file of a client certificate; needs keyFile.')),
  keyFile: optional(scalar('pemFile', 'PEM file of its private key; needs certFile.'))
}

/** For whoever is posted to. */
const ownTls = optional(group('TLS files for an https address: an authority of your own, a client certificate.', clientTls))

const ingest = block('The public listener, the only thing that may be reached from outside.', {
  listen: scalar('address', 'Where callbacks arrive, host:port; quote IPv6, as in "[::]:8080".', { default: '0.0.0.0:8080', restart: 'any change', own: true }),
  path: scalar('route', `The path that callbacks are posted to; may hold a secret segment, as in "/webhooks/fotor/${reference('RELAY_PATH_TOKEN')}".`, { default: '/webhooks/fotor' }),
  allowFrom: list(scalar('network', 'An address or CIDR range.'), 'Addresses and CIDR ranges, v4 and v6, that may post callbacks; these two are Fotor\'s.', {
    default: ['54.212.95.175', '44.236.127.35']
  }),
  allowlist: choice(['enforce', 'monitor'], 'What becomes of other addresses: enforce answers 403, monitor lets them through, counts them and flags their events unlisted.', 'enforce'),
  trustedProxies: list(scalar('network', 'An address or CIDR range.'), 'Addresses and CIDR ranges of your own proxies, whose X-Forwarded-For is believed, read from right to left.', { default: [] }),
  maxBody: scalar('size', 'The largest body that is taken; a larger one is answered 413.', { default: '1mb', least: '1kb', most: '64mb' }),
  rateLimit: block('How many requests one client address may make; more are answered 429.', {
    max: whole('Requests in each period.', { default: 120_000, minimum: 1 }),
    per: scalar('duration', 'The period.', { default: '1m', least: '1ms', most: '1d' }),
    store: choice(['local', 'redis'], 'Where requests are counted: local is this process alone, redis is shared by all replicas and costs a round trip for each.', 'local')
  }),
  tls: optional(serverTls)
})

const dedupe = block('How a repeat is told from something new.', {
  window: scalar('duration', 'For how long a callback is remembered; the same content again within it is a repeat.', { default: '7d', least: '1s' }),
  onConflict: choice(['forward', 'hold'], 'Other content under the same task and status: forward delivers it as the next revision, hold keeps it for an operator.', 'forward'),
  onLate: choice(['keep', 'forward'], 'Status 0 after a final one: keep records it without delivering, forward delivers it.', 'keep'),
  ignoreFields: list(scalar('text', 'The name of a field.'), 'Top-level fields that do not count as content.', { default: [] })
})

/** What a token may do when nothing is said; so too one that is only a text. */
export const DEFAULT_ROLE = 'operator'

const namedToken = group('A token with a name for the audit.', {
  name: scalar('tokenName', 'Who holds it.'),
  value: scalar('token', 'The token.'),
  role: choice(['operator', 'viewer'], 'An operator may do everything, a viewer may only read.', DEFAULT_ROLE)
})

const admin = block('The listener for operators: API and health.', {
  listen: scalar('address', 'Where the admin API listens, host:port; anything but loopback needs a token.', { default: '127.0.0.1:8081', restart: 'any change', own: true }),
  tokens: list(
    either([scalar('token', 'The token.'), namedToken], 'A token, or a block with name, value and role.'),
    `Bearer tokens of the admin API: texts, or { name: alice, value: "${reference('file:/run/secrets/alice')}", role: operator } (or viewer).`,
    { default: [] }
  )
})

const redis = block('An external Redis; with no address here the gateway starts and supervises its own server in dataDir.', {
  url: scalar('redisUrl', 'redis://host:6379, rediss:// for TLS, or unix:///path/to/socket; empty means none. Use one of url, sentinel and cluster.', { default: reference('RELAY_REDIS_URL:-') }),
  sentinel: optional(group('Redis behind Sentinel.', {
    name: scalar('text', 'The name of the primary that the sentinels watch.'),
    nodes: list(scalar('node', 'host:port.'), 'The sentinels, host:port each.', { minItems: 1 })
  })),
  cluster: optional(group('A Redis Cluster.', {
    nodes: list(scalar('node', 'host:port.'), 'Some of its nodes, host:port each.', { minItems: 1 })
  })),
  username: optional(scalar('optionalText', 'Its user name; empty means none.')),
  password: optional(scalar('optionalText', 'Its password; empty means none.')),
  tls: optional(either([
    flag('Whether to use TLS with the well-known authorities.', false),
    group('TLS with your own files.', { enabled: flag('Whether to use TLS.', true), ...clientTls })
  ], 'Speak TLS to Redis: true, or { caFile, certFile, keyFile }.')),
  prefix: scalar('redisPrefix', 'Start of every key; several gateways with different prefixes may share one Redis.', { default: 'relay' }),
  keepRunning: flag('true leaves the gateway\'s own server running when the gateway stops: the next start need not read its data again. It stops by: redis-cli -s <dataDir>/redis.sock shutdown', false),
  maxMemory: optional(scalar('size', 'The most that the data of the gateway\'s own server may take, 2048mb for 2 GB; when absent, half of the machine\'s memory or of its cgroup\'s limit, whichever is less. An external Redis has its own maxmemory.', { least: '64mb' })),
  waitReplicas: whole('Replicas that must have a callback before its sender is answered 200, so that a failover loses none; fewer in half a second, and it goes to the spool.', { default: 0, minimum: 0, maximum: 5 })
}, { restart: 'any change', own: true })

const spool = block('Where callbacks wait on the local disk while Redis is away: they are answered 200, and accepted when it is back.', {
  enabled: flag('false keeps nothing: while Redis is away callbacks are answered 503.', true),
  dir: optional(scalar('text', 'Its folder, on a disk of this machine; the folder spool in dataDir when absent.')),
  maxBytes: scalar('size', 'The most that it takes; when it is full callbacks are answered 503.', { default: '1024mb', least: '1mb' })
}, { restart: 'any change', own: true })

const retention = block('For how long things are kept, counted from the end of an event\'s last open delivery; nothing open or held is ever deleted by age.', {
  events: scalar('duration', 'Events whose deliveries all arrived.', { default: '7d', least: '1m' }),
  failed: scalar('duration', 'Events with a failed delivery.', { default: '30d', least: '1m' }),
  quarantine: scalar('duration', 'Refused callbacks.', { default: '7d', least: '1m' }),
  audit: scalar('duration', 'What operators did; nothing is recorded yet.', { default: '90d', least: '1m' })
})

const BUDGET = { minimum: 1, maximum: 1_000 }
const FACTOR = { minimum: 1, maximum: 100 }
const SHARE = { minimum: 0, maximum: 1 }
const WAIT = { least: '1ms', most: '30d' }
const TIMEOUT = { least: '1ms', most: '1h' }
const PARALLEL = { minimum: 1, maximum: 1_000 }

const waits = list(scalar('duration', 'A wait.', { most: '30d' }), 'The wait after each failed attempt; one attempt more than there are waits.', {})

/** Also says the `max` of a list of waits, which has none of its own. */
export const backoff = group('Waits that grow.', {
  attempts: whole('Attempts in all, the first included.', { default: 20, ...BUDGET }),
  initial: scalar('duration', 'The wait after the first failed attempt.', { default: '5s', ...WAIT }),
  factor: decimal('Each wait is the one before times this.', { default: 3, ...FACTOR }),
  max: scalar('duration', 'No wait is longer, and no Retry-After is heeded beyond it.', { default: '6h', ...WAIT }),
  jitter: decimal('Each wait is spread by up to this share, 0 to 1, to either side.', { default: 0.2, ...SHARE })
})

/** For a subscriber: what it leaves out comes from `delivery.retry`. */
const backoffChanges = group('Waits that grow; what is left out comes from delivery.retry.', {
  attempts: optional(whole('Attempts in all, the first included.', BUDGET)),
  initial: optional(scalar('duration', 'The wait after the first failed attempt.', WAIT)),
  factor: optional(decimal('Each wait is the one before times this.', FACTOR)),
  max: optional(scalar('duration', 'No wait is longer, and no Retry-After is heeded beyond it.', WAIT)),
  jitter: optional(decimal('Each wait is spread by up to this share, 0 to 1, to either side.', SHARE))
})

const TIMEOUT_SAYS = 'From the start of an attempt to the end of its answer.'
const RETRY_SAYS = 'When to try again: a growing wait, or a list of waits such as [5s, 1m, 10m].'
const MAX_AGE_SAYS = 'No retry is planned later than this after the event, or its replay, was queued; time on hold does not count.'
const THROTTLE_MAX_SAYS = 'A subscriber that asks for a pause (429, or 503 with Retry-After) gets no delivery for as long as it asks, and at most this long; the delivery it answered waits as asked, up to retry.max.'
const CONCURRENCY_SAYS = 'Deliveries in flight at once, over all replicas.'

const BREAKER = {
  share: ['Of its attempts that failed in a window, this share; timeouts, connections, 429 and 5xx count as failed, other answers do not.', { minimum: 0.01, maximum: 1 }],
  failures: ['And at least so many.', { minimum: 1, maximum: 1_000_000 }],
  window: ['How long an attempt counts; up to twice as long.', { least: '1s', most: '1d' }],
  openFor: ['How long deliveries are held, before one is tried; twice as long each time in a row.', { least: '100ms', most: '1d' }],
  maxOpenFor: ['And no longer than this.', { least: '100ms', most: '1d' }]
} as const
const BREAKER_SAYS = 'When deliveries are held instead of burnt, because most fail: none uses up attempts meanwhile, and one at a time is tried.'

const delivery = block('Defaults for every subscriber; each may override any of them.', {
  timeout: scalar('duration', TIMEOUT_SAYS, { default: '15s', ...TIMEOUT }),
  retry: either([waits, backoff], RETRY_SAYS, { default: {} }),
  maxAge: scalar('duration', MAX_AGE_SAYS, { default: '3d', least: '1s' }),
  throttleMax: scalar('duration', THROTTLE_MAX_SAYS, { default: '15m', least: '1s', most: '1d' }),
  concurrency: whole(CONCURRENCY_SAYS, { default: 16, ...PARALLEL }),
  breaker: block(BREAKER_SAYS, {
    enabled: flag('false never holds: each delivery uses up its attempts.', true),
    share: decimal(BREAKER.share[0], { default: 0.5, ...BREAKER.share[1] }),
    failures: whole(BREAKER.failures[0], { default: 20, ...BREAKER.failures[1] }),
    window: scalar('duration', BREAKER.window[0], { default: '1m', ...BREAKER.window[1] }),
    openFor: scalar('duration', BREAKER.openFor[0], { default: '30s', ...BREAKER.openFor[1] }),
    maxOpenFor: scalar('duration', BREAKER.maxOpenFor[0], { default: '10m', ...BREAKER.maxOpenFor[1] })
  })
})

const match = block('Which events it wants; an empty list wants everything.', {
  types: list(scalar('typePattern', 'A type, or its start and a *.'), 'Types, exact or with a * at the end for all that start so; case-sensitive.', { default: [] }),
  statuses: list(scalar('status', 'A whole number.'), 'Statuses: 0 in progress, 1 completed, 2 failed, or any other that Fotor sends.', { default: [] }),
  businessIds: list(scalar('text', 'A businessId, in quotes.'), 'Fotor tenants, exact or with a * at the end for all that start so.', { default: [] }),
  fields: named(
    list(scalar('fieldValue', 'A value, or its start and a *.'), 'The values that this field may have, one of them.', { maxItems: 1_000 }),
    'Values as in types for any field of the body, by its path: names joined by dots, with [] for every element of a list. A number counts as it is written, a field that is absent never fits.',
    { names: 'fieldPath', maxProperties: 32 }
  )
} satisfies Record<keyof Match, TSchema>)

const subscriber = group('An internal service that wants events.', {
  name: scalar('subscriberName', 'Its name, unique: a letter a–z, then a–z, 0–9 and -.'),
  url: scalar('httpUrl', 'Where events are posted, http or https.'),
  match,
  headers: named(scalar('headerValue', 'A text.'), 'Headers sent with every delivery; not host, content-length, connection, transfer-encoding, webhook-* or relay-*.'),
  secrets: list(scalar('secret', 'whsec_ and 16 to 64 bytes in base64.'), 'Standard Webhooks secrets, whsec_…; every one signs, so that a rotation overlaps.', { default: [] }),
  rateLimit: optional(group('How many requests it is sent, over all replicas; unlimited when absent.', {
    max: whole('Requests in each period.', { minimum: 1 }),
    per: scalar('duration', 'The period.', { least: '1ms', most: '1d' })
  })),
  concurrency: optional(whole(CONCURRENCY_SAYS, PARALLEL)),
  timeout: optional(scalar('duration', TIMEOUT_SAYS, TIMEOUT)),
  retry: optional(either([waits, backoffChanges], RETRY_SAYS)),
  maxAge: optional(scalar('duration', MAX_AGE_SAYS, { least: '1s' })),
  throttleMax: optional(scalar('duration', THROTTLE_MAX_SAYS, { least: '1s', most: '1d' })),
  breaker: optional(group(`${BREAKER_SAYS} What is left out comes from delivery.breaker.`, {
    enabled: optional(flag('false never holds.')),
    share: optional(decimal(BREAKER.share[0], BREAKER.share[1])),
    failures: optional(whole(BREAKER.failures[0], BREAKER.failures[1])),
    window: optional(scalar('duration', BREAKER.window[0], BREAKER.window[1])),
    openFor: optional(scalar('duration', BREAKER.openFor[0], BREAKER.openFor[1])),
    maxOpenFor: optional(scalar('duration', BREAKER.maxOpenFor[0], BREAKER.maxOpenFor[1]))
  })),
  tls: ownTls,
  enabled: flag('false keeps collecting deliveries, and holds them.', true)
})

const receiver = group('One that is told of alerts.', {
  name: scalar('receiverName', 'What it is called, unique: a letter a–z, then a–z, 0–9 and -.'),
  url: scalar('httpUrl', 'Where alerts are posted, http or https.'),
  headers: named(scalar('headerValue', 'A text.'), 'Headers sent with every alert; not host, content-length, connection, transfer-encoding, webhook-* or relay-*.'),
  secrets: list(scalar('secret', 'whsec_ and 16 to 64 bytes in base64.'), 'Standard Webhooks secrets, whsec_…; every one signs.', { default: [] }),
  tls: ownTls
})

const alerts = block('Who is told when something needs an operator; the log and fotor-relay alerts tell it in any case.', {
  after: scalar('duration', 'What lasts shorter is not told, and what is over for shorter is not yet said to be over.', { default: '1m', least: '1s', most: '1d' }),
  repeat: scalar('duration', 'What lasts is told again this much later.', { default: '4h', least: '1m', most: '30d' }),
  receivers: list(receiver, 'Each is told everything, with a POST each time; one that does not answer is asked again, and keeps nobody waiting.', { default: [] })
})

/** The whole file. */
export const relaySchema = block('Configuration of fotor-relay.', {
  ingest,
  dedupe,
  admin,
  redis,
  dataDir: scalar('text', 'Where the gateway keeps what it must not lose; relative to the working directory.', { default: './data', restart: 'any change', own: true }),
  spool,
  retention,
  delivery,
  alerts,
  shutdownDelay: scalar('duration', 'How long to go on accepting after a stop was asked for, so that a load balancer can notice.', { default: '0s', most: '1h', own: true }),
  shutdownGrace: scalar('duration', 'How long deliveries in flight may take to finish when stopping.', { default: '10s', most: '1h', own: true }),
  log: block('What the gateway writes to standard output.', {
    level: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'The least that is logged.', 'info')
  }, { own: true }),
  subscribers: list(subscriber, 'The internal services that want events.', { default: [] })
})

/** What a file says once it is read, every default filled in. Named as in the YAML; durations in milliseconds, sizes in bytes. */
export type Settings = Static<typeof relaySchema>

/** A backoff, complete. */
export type BackoffSettings = Static<typeof backoff>
