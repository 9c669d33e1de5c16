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

const serverTls = group('Serves HTTPS instead of HTTP. Every reload reads both files again.', {
  certFile: optional(scalar('pemFile', 'PEM file with the certificate and its chain.')),
  keyFile: optional(scalar('pemFile', 'PEM file with the private key.'))
}, { restart: 'added or removed' })

const clientTls = {
  caFile: optional(scalar('pemFile', 'PEM file with the certificate authority that signed the server\'s certificate. Without it, the well-known authorities are trusted.')),
  certFile: optional(scalar('pemFile', 'PEM file with a client certificate. Needs keyFile.')),
  keyFile: optional(scalar('pemFile', 'PEM file with the private key of the client certificate. Needs certFile.'))
}

/** For whoever is posted to. */
const ownTls = optional(group('TLS files for an https URL: a certificate authority of your own, a client certificate.', clientTls))

const ingest = block('The public listener, the only part that must be reachable from the internet.', {
  listen: scalar('address', 'Address and port that receive callbacks, host:port. Quote IPv6: "[::]:8080".', { default: '0.0.0.0:8080', restart: 'any change', own: true }),
  path: scalar('route', `Path that receives callbacks. It may contain a secret segment: "/webhooks/fotor/${reference('RELAY_PATH_TOKEN')}".`, { default: '/webhooks/fotor' }),
  allowFrom: list(scalar('network', 'An IP address or a CIDR range.'), 'IPv4 and IPv6 addresses or CIDR ranges that may post callbacks. The two defaults are Fotor\'s.', {
    default: ['54.212.95.175', '44.236.127.35']
  }),
  allowlist: choice(['enforce', 'monitor'], 'What happens to other addresses: enforce answers 403; monitor accepts the callback, counts it and flags its event as unlisted.', 'enforce'),
  trustedProxies: list(scalar('network', 'An IP address or a CIDR range.'), 'Addresses or CIDR ranges of your own proxies. Their X-Forwarded-For is trusted and read from right to left.', { default: [] }),
  maxBody: scalar('size', 'Maximum size of a request body. A larger one is answered 413.', { default: '1mb', least: '1kb', most: '64mb' }),
  rateLimit: block('Limit on the requests of one client address. More are answered 429.', {
    max: whole('Maximum number of requests in a period.', { default: 120_000, minimum: 1 }),
    per: scalar('duration', 'Length of the period.', { default: '1m', least: '1ms', most: '1d' }),
    store: choice(['local', 'redis'], 'Where requests are counted: local counts in this process only; redis counts over all replicas and adds one round trip to each request.', 'local')
  }),
  tls: optional(serverTls)
})

const dedupe = block('How a duplicate is told from a new event.', {
  window: scalar('duration', 'How long a callback is remembered. The same content again within this time is a duplicate.', { default: '7d', least: '1s' }),
  onConflict: choice(['forward', 'hold'], 'What happens to other content with the same task and status: forward delivers it as the next revision; hold keeps it until an operator decides.', 'forward'),
  onLate: choice(['keep', 'forward'], 'What happens to a status 0 that arrives after a final status: keep records it without delivering it; forward delivers it.', 'keep'),
  ignoreFields: list(scalar('text', 'Name of a field.'), 'Top-level fields that are ignored when content is compared.', { default: [] }),
  claimsMemory: optional(scalar('size', 'Maximum memory in Redis for what is remembered of deleted events, about 64 bytes a callback. When it is used up, the oldest are forgotten first, and an alert is raised. Default: a quarter of Redis\'s maxmemory.', { least: '64kb' }))
})

/** What a token may do when nothing is said; so too one that is only a text. */
export const DEFAULT_ROLE = 'operator'

const namedToken = group('A token with a name and a role.', {
  name: scalar('tokenName', 'Who uses the token.'),
  value: scalar('token', 'The token.'),
  role: choice(['operator', 'viewer'], 'operator may do everything; viewer may only read.', DEFAULT_ROLE)
})

const admin = block('The listener for operators: admin API and health checks.', {
  listen: scalar('address', 'Address and port of the admin API, host:port. Any address but loopback needs a token of at least 16 characters.', { default: '127.0.0.1:8081', restart: 'any change', own: true }),
  tokens: list(
    either([scalar('token', 'The token.'), namedToken], 'A token, or a block with name, value and role.'),
    `Bearer tokens of the admin API. Each is a text, or { name: alice, value: "${reference('file:/run/secrets/alice')}", role: operator } (or viewer).`,
    { default: [] }
  )
})

const redis = block('An external Redis. Without an address here, the gateway starts and supervises its own Redis server in dataDir.', {
  url: scalar('redisUrl', 'URL of the server: redis://host:6379, rediss:// for TLS, or unix:///path/to/socket. Empty means none. Set only one of url, sentinel and cluster.', { default: reference('RELAY_REDIS_URL:-') }),
  sentinel: optional(group('A Redis behind Sentinel.', {
    name: scalar('text', 'Name of the primary that the sentinels monitor.'),
    nodes: list(scalar('node', 'host:port.'), 'The sentinels, each as host:port.', { minItems: 1 })
  })),
  cluster: optional(group('A Redis Cluster.', {
    nodes: list(scalar('node', 'host:port.'), 'Some nodes of the cluster, each as host:port.', { minItems: 1 })
  })),
  username: optional(scalar('optionalText', 'User name for Redis. Empty means none.')),
  password: optional(scalar('optionalText', 'Password for Redis. Empty means none.')),
  tls: optional(either([
    flag('Use TLS and trust the well-known certificate authorities.', false),
    group('TLS with your own files.', { enabled: flag('Use TLS.', true), ...clientTls })
  ], 'TLS to Redis: true, or { caFile, certFile, keyFile }.')),
  prefix: scalar('redisPrefix', 'Prefix of every Redis key. Gateways with different prefixes can share one Redis.', { default: 'relay' }),
  keepRunning: flag('true leaves the gateway\'s own Redis server running when the gateway stops. The next start need not read its data again. Stop the server with: redis-cli -s <dataDir>/redis.sock shutdown', false),
  maxMemory: optional(scalar('size', 'Maximum memory for the data of the gateway\'s own Redis server; 2048mb is 2 GB. Default: half of the machine\'s memory or of its cgroup limit, whichever is less. An external Redis has its own maxmemory.', { least: '64mb' })),
  waitReplicas: whole('Number of Redis replicas that must have a callback before it is answered 200, so that a failover loses none. If fewer confirm within half a second, the callback goes to the spool.', { default: 0, minimum: 0, maximum: 5 })
}, { restart: 'any change', own: true })

const spool = block('Storage on the local disk for callbacks that arrive while Redis is away. They are answered 200 and become events when Redis is back.', {
  enabled: flag('false stores nothing: while Redis is away, callbacks are answered 503.', true),
  dir: optional(scalar('text', 'Directory of the spool, on a disk of this machine. Default: the directory spool in dataDir.')),
  maxBytes: scalar('size', 'Maximum size of the spool. When it is full, callbacks are answered 503.', { default: '1024mb', least: '1mb' })
}, { restart: 'any change', own: true })

const retention = block('How long data is kept after the last open delivery of an event has ended. Open and held deliveries are never deleted by age.', {
  events: scalar('duration', 'Events without a failed delivery.', { default: '7d', least: '1m' }),
  failed: scalar('duration', 'Events with a failed delivery.', { default: '30d', least: '1m' }),
  quarantine: scalar('duration', 'Refused callbacks.', { default: '7d', least: '1m' }),
  audit: scalar('duration', 'Actions of operators. Not used yet: the gateway does not record them.', { default: '90d', least: '1m' })
})

const BUDGET = { minimum: 1, maximum: 1_000 }
const FACTOR = { minimum: 1, maximum: 100 }
const SHARE = { minimum: 0, maximum: 1 }
const WAIT = { least: '1ms', most: '30d' }
const TIMEOUT = { least: '1ms', most: '1h' }
const PARALLEL = { minimum: 1, maximum: 1_000 }

const waits = list(scalar('duration', 'A wait.', { most: '30d' }), 'The wait after each failed attempt. There is one attempt more than there are waits.', {})

/** Also says the `max` of a list of waits, which has none of its own. */
export const backoff = group('A wait that grows.', {
  attempts: whole('Maximum number of attempts, including the first.', { default: 20, ...BUDGET }),
  initial: scalar('duration', 'Wait after the first failed attempt.', { default: '5s', ...WAIT }),
  factor: decimal('Each wait is the previous wait multiplied by this factor.', { default: 3, ...FACTOR }),
  max: scalar('duration', 'Maximum wait. A longer Retry-After is cut to it.', { default: '6h', ...WAIT }),
  jitter: decimal('Each wait is made randomly shorter or longer by up to this share, 0 to 1.', { default: 0.2, ...SHARE })
})

/** For a subscriber: what it leaves out comes from `delivery.retry`. */
const backoffChanges = group('A wait that grows. Keys that are left out come from delivery.retry.', {
  attempts: optional(whole('Maximum number of attempts, including the first.', BUDGET)),
  initial: optional(scalar('duration', 'Wait after the first failed attempt.', WAIT)),
  factor: optional(decimal('Each wait is the previous wait multiplied by this factor.', FACTOR)),
  max: optional(scalar('duration', 'Maximum wait. A longer Retry-After is cut to it.', WAIT)),
  jitter: optional(decimal('Each wait is made randomly shorter or longer by up to this share, 0 to 1.', SHARE))
})

const TIMEOUT_SAYS = 'Maximum time from the start of an attempt to the end of its answer.'
const RETRY_SAYS = 'When a failed attempt is repeated: a growing wait, or a list of waits such as [5s, 1m, 10m].'
const MAX_AGE_SAYS = 'Maximum age of a delivery for a retry, counted from when the event or its replay was queued. Time on hold does not count.'
const THROTTLE_MAX_SAYS = 'Maximum time that an answer of 429, or of 503 with Retry-After, may hold all deliveries of its subscriber. The delivery that was answered waits as long as asked, up to retry.max.'
const MAX_BACKLOG_SAYS = 'Maximum number of deliveries that wait for a subscriber: queued, retrying or held. The oldest beyond it fail with the reason backlog and can be replayed. Default: no limit.'
const CONCURRENCY_SAYS = 'Maximum number of deliveries in flight at the same time, over all replicas.'

const BREAKER = {
  share: ['Share of failed attempts in the window at which the breaker opens, 0.01 to 1. Timeouts, connection errors, 429 and 5xx count as failed; other answers do not.', { minimum: 0.01, maximum: 1 }],
  failures: ['Minimum number of failures in the window before the breaker may open.', { minimum: 1, maximum: 1_000_000 }],
  window: ['Length of the window. An attempt counts for at least this long and at most twice as long.', { least: '1s', most: '1d' }],
  openFor: ['How long deliveries are held before one of them is tried. The time doubles each time the trial fails.', { least: '100ms', most: '1d' }],
  maxOpenFor: ['Maximum time that deliveries are held before the next trial.', { least: '100ms', most: '1d' }]
} as const
const BREAKER_SAYS = 'The circuit breaker holds deliveries while most attempts fail. Held deliveries use up no attempts; one at a time is tried until the subscriber answers again.'

const delivery = block('Defaults for every subscriber. Each subscriber may override any of them.', {
  timeout: scalar('duration', TIMEOUT_SAYS, { default: '15s', ...TIMEOUT }),
  retry: either([waits, backoff], RETRY_SAYS, { default: {} }),
  maxAge: scalar('duration', MAX_AGE_SAYS, { default: '3d', least: '1s' }),
  throttleMax: scalar('duration', THROTTLE_MAX_SAYS, { default: '15m', least: '1s', most: '1d' }),
  maxBacklog: optional(whole(MAX_BACKLOG_SAYS, { minimum: 1 })),
  concurrency: whole(CONCURRENCY_SAYS, { default: 16, ...PARALLEL }),
  breaker: block(BREAKER_SAYS, {
    enabled: flag('false never holds deliveries: each one uses up its attempts.', true),
    share: decimal(BREAKER.share[0], { default: 0.5, ...BREAKER.share[1] }),
    failures: whole(BREAKER.failures[0], { default: 20, ...BREAKER.failures[1] }),
    window: scalar('duration', BREAKER.window[0], { default: '1m', ...BREAKER.window[1] }),
    openFor: scalar('duration', BREAKER.openFor[0], { default: '30s', ...BREAKER.openFor[1] }),
    maxOpenFor: scalar('duration', BREAKER.maxOpenFor[0], { default: '10m', ...BREAKER.maxOpenFor[1] })
  })
})

const match = block('Which events the subscriber receives. An empty list matches everything.', {
  types: list(scalar('typePattern', 'A type, or the start of one and a *.'), 'Types of events: exact, or with a * at the end for every type that starts this way. Case-sensitive.', { default: [] }),
  statuses: list(scalar('status', 'A whole number.'), 'Statuses: 0 in progress, 1 completed, 2 failed, or any other that Fotor sends.', { default: [] }),
  businessIds: list(scalar('text', 'A businessId, in quotes.'), 'businessIds of wanted Fotor tenants: exact, or with a * at the end for every one that starts this way.', { default: [] }),
  fields: named(
    list(scalar('fieldValue', 'A value, or its start and a *.'), 'The values that this field may have, one of them.', { maxItems: 1_000 }),
    'Values as in types for any field of the body, by its path: names joined by dots, with [] for every element of a list. A number counts as it is written, a field that is absent never fits.',
    { names: 'fieldPath', maxProperties: 32 }
  )
} satisfies Record<keyof Match, TSchema>)

const subscriber = group('An internal service that receives events.', {
  name: scalar('subscriberName', 'Unique name: a letter a–z, then a–z, 0–9 and -.'),
  url: scalar('httpUrl', 'URL that events are posted to, http or https.'),
  match,
  headers: named(scalar('headerValue', 'A text.'), 'Headers sent with every delivery. Not allowed: host, content-length, connection, transfer-encoding, webhook-* and relay-*.'),
  secrets: list(scalar('secret', 'whsec_ and 16 to 64 bytes in base64.'), 'Standard Webhooks secrets, whsec_…. Each of them signs every delivery, so old and new can overlap during a rotation.', { default: [] }),
  rateLimit: optional(group('Limit on the requests sent to this subscriber, over all replicas. Default: no limit.', {
    max: whole('Maximum number of requests in a period.', { minimum: 1 }),
    per: scalar('duration', 'Length of the period.', { least: '1ms', most: '1d' })
  })),
  concurrency: optional(whole(CONCURRENCY_SAYS, PARALLEL)),
  timeout: optional(scalar('duration', TIMEOUT_SAYS, TIMEOUT)),
  retry: optional(either([waits, backoffChanges], RETRY_SAYS)),
  maxAge: optional(scalar('duration', MAX_AGE_SAYS, { least: '1s' })),
  throttleMax: optional(scalar('duration', THROTTLE_MAX_SAYS, { least: '1s', most: '1d' })),
  maxBacklog: optional(whole(MAX_BACKLOG_SAYS, { minimum: 1 })),
  breaker: optional(group(`${BREAKER_SAYS} Keys that are left out come from delivery.breaker.`, {
    enabled: optional(flag('false never holds deliveries.')),
    share: optional(decimal(BREAKER.share[0], BREAKER.share[1])),
    failures: optional(whole(BREAKER.failures[0], BREAKER.failures[1])),
    window: optional(scalar('duration', BREAKER.window[0], BREAKER.window[1])),
    openFor: optional(scalar('duration', BREAKER.openFor[0], BREAKER.openFor[1])),
    maxOpenFor: optional(scalar('duration', BREAKER.maxOpenFor[0], BREAKER.maxOpenFor[1]))
  })),
  tls: ownTls,
  enabled: flag('false holds deliveries: they are still recorded, and sent when it is true again.', true)
})

const receiver = group('A receiver of alerts.', {
  name: scalar('receiverName', 'Unique name of the receiver: a letter a–z, then a–z, 0–9 and -.'),
  url: scalar('httpUrl', 'URL that alerts are posted to, http or https.'),
  headers: named(scalar('headerValue', 'A text.'), 'Headers sent with every alert. Not allowed: host, content-length, connection, transfer-encoding, webhook-* and relay-*.'),
  secrets: list(scalar('secret', 'whsec_ and 16 to 64 bytes in base64.'), 'Standard Webhooks secrets, whsec_…. Each of them signs every alert.', { default: [] }),
  tls: ownTls
})

const alerts = block('Receivers of alerts: conditions that need an operator. The log and the command fotor-relay alerts show them in any case.', {
  after: scalar('duration', 'A condition must last this long before its alert is sent, and be over this long before the alert is resolved.', { default: '1m', least: '1s', most: '1d' }),
  repeat: scalar('duration', 'Time after which an alert that still lasts is sent again.', { default: '4h', least: '1m', most: '30d' }),
  receivers: list(receiver, 'Each receiver gets every alert as a POST. If one does not answer, the alert is sent to it again; the others do not wait.', { default: [] })
})

/** The whole file. */
export const relaySchema = block('Configuration of fotor-relay.', {
  ingest,
  dedupe,
  admin,
  redis,
  dataDir: scalar('text', 'Directory for data that must not be lost. A relative path starts at the working directory.', { default: './data', restart: 'any change', own: true }),
  spool,
  retention,
  delivery,
  alerts,
  shutdownDelay: scalar('duration', 'How long the gateway still accepts callbacks after a stop signal, so that a load balancer can notice.', { default: '0s', most: '1h', own: true }),
  shutdownGrace: scalar('duration', 'Maximum time for deliveries in flight to finish during a stop.', { default: '10s', most: '1h', own: true }),
  log: block('The log on standard output.', {
    level: choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'Lowest level that is logged.', 'info')
  }, { own: true }),
  subscribers: list(subscriber, 'The internal services that receive events.', { default: [] })
})

/** What a file says once it is read, every default filled in. Named as in the YAML; durations in milliseconds, sizes in bytes. */
export type Settings = Static<typeof relaySchema>

/** A backoff, complete. */
export type BackoffSettings = Static<typeof backoff>
