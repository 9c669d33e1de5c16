/**
 * Where everything lies in Redis: the one list of keys.
 *
 * All keys begin with the same hash tag, `{<prefix>}`, so that one script or
 * transaction may touch any of them on Redis Cluster, and several gateways
 * with different prefixes may share one Redis. Names that a user chose
 * (taskIds) stand last in a key, where they can do no harm.
 */

export interface Keys {
  /** The prefix as configured, without braces. */
  readonly prefix: string
  /** STRING: the version of this layout. */
  readonly version: string
  /** STRING: the last sequence number given to an event. */
  readonly sequence: string
  /** ZSET of event ids by sequence: every event in the record. */
  readonly events: string
  /** HASH: one event, its deliveries (`d:<subscriber>`) and their attempts (`a:<subscriber>`). */
  event (eventId: string): string
  /** STRING: the body, byte for byte. */
  body (eventId: string): string
  /** HASH: the claims, revision counters, final statuses and events of one task that has events in the record. */
  task (taskId: string): string
  /** The same for test events: they must never take the claim of a real callback. */
  testTask (taskId: string): string
  /** ZSET of event ids by sequence: the events of one task that has many, see record/task-events.lua. */
  eventsOfTask (taskId: string): string
  /** The same for test events. */
  eventsOfTestTask (taskId: string): string
  /** HASH: the list of the buckets of what is remembered of deleted events, see record/claims.lua. */
  readonly claims: string
  /** HASH: claims of one bucket. */
  claimsShard (bucket: string, shard: number): string
  /** ZSET of event ids by sequence: deliveries that wait or are being attempted. */
  open (subscriber: string): string
  /** ZSET of event ids by sequence: deliveries that ended as failed. */
  failed (subscriber: string): string
  /** ZSET of event ids by sequence: those of the failed ones that failed because they could not be read. */
  corrupt (subscriber: string): string
  /** ZSET of event ids by sequence: deliveries held for a reason of the event. */
  held (subscriber: string): string
  /** ZSET of event ids by the time their last open delivery ended, milliseconds; none of them failed. */
  readonly ended: string
  /** The same for events with a failed delivery. */
  readonly endedFailed: string
  /** SET: every subscriber that ever had a delivery or is configured. */
  readonly subscribers: string
  /** HASH: holds, hold clock, counts and last answers of one subscriber. */
  subscriber (name: string): string
  /** HASH: whose configuration decides who is disabled or removed, see record/align-holds.lua. */
  readonly holdsDecider: string
  /** STRING with a time to live: who sweeps. */
  readonly sweepLease: string
  /** HASH with a time to live: how many deliveries began within the period of the rate limit, by the end of its part. */
  sent (subscriber: string): string
  /** The same within a tenth of a short period. */
  sentInPace (subscriber: string): string
  /** The same while the breaker is tried. */
  sentInTrial (subscriber: string): string
  /** HASH of counters since the record began. */
  readonly stats: string
  /** ZSET of the ids of orders (replays, discards, releases, purges) by creation time, milliseconds. */
  readonly replays: string
  /** SET of the ids of orders that are not finished. */
  readonly runningOrders: string
  /** SET of the same, of gateways that knew replays only: they would take any order there for one. */
  readonly runningReplays: string
  /** HASH: one order. */
  replay (orderId: string): string
  /** STRING with a time to live: who is carrying this order out. */
  replayLock (orderId: string): string
  /** ZSET of quarantine ids by arrival, milliseconds; one per budget. */
  quarantine (budget: 'unreadable' | 'misdirected' | 'denied'): string
  /** HASH of the sizes of a quarantine's bodies by id, and their `total`, bytes. */
  quarantineSizes (budget: 'unreadable' | 'misdirected' | 'denied'): string
  /** HASH: one refused callback. */
  quarantined (id: string): string
  /** Prefix of the counters of `ingest.rateLimit.store: redis`; the client's address follows. */
  readonly rateLimit: string
  /** STRING with a time to live: written to see whether Redis takes writes. */
  readonly probe: string
  /** PUBSUB channel: reload your configuration. */
  readonly reloadChannel: string
  /** STRING: the export that is being imported, until all of it is there. */
  readonly importing: string
  /** ZSET of replica ids by the time until which they are believed to live, milliseconds. */
  readonly replicas: string
  /** HASH with a time to live: what one replica is. */
  replica (replicaId: string): string
  /** STRING: what replicas salt the fingerprints of their configurations with. */
  readonly fingerprintSalt: string
  /** STRING: the alerts of the whole relay, as JSON. */
  readonly alerts: string
  /** Prefix given to BullMQ; its keys follow as `:<subscriber>:<name>`. */
  readonly queuePrefix: string
}

/**
 * @param prefix  `redis.prefix` of the configuration, without braces
 */
export function keysOf (prefix: string): Keys {
  const p = `{${prefix}}:`
  return {
    prefix,
    version: p + 'version',
    sequence: p + 'sequence',
    events: p + 'events',
    event: id => p + 'event:' + id,
    body: id => p + 'body:' + id,
    task: taskId => p + 'task:' + taskId,
    testTask: taskId => p + 'test-task:' + taskId,
    eventsOfTask: taskId => p + 'events-of:task:' + taskId,
    eventsOfTestTask: taskId => p + 'events-of:test-task:' + taskId,
    claims: p + 'claims',
    claimsShard: (bucket, shard) => `${p}claims:${bucket}:${shard}`,
    open: name => p + 'open:' + name,
    failed: name => p + 'failed:' + name,
    corrupt: name => p + 'corrupt:' + name,
    held: name => p + 'held:' + name,
    ended: p + 'ended',
    endedFailed: p + 'ended-failed',
    subscribers: p + 'subscribers',
    subscriber: name => p + 'subscriber:' + name,
    holdsDecider: p + 'holds-decider',
    sweepLease: p + 'sweep-lease',
    sent: name => p + 'sent:' + name,
    sentInPace: name => p + 'sent-pace:' + name,
    sentInTrial: name => p + 'sent-trial:' + name,
    stats: p + 'stats',
    replays: p + 'replays',
    runningOrders: p + 'orders-running',
    runningReplays: p + 'replays-running',
    replay: id => p + 'replay:' + id,
    replayLock: id => p + 'replay-lock:' + id,
    quarantine: budget => p + 'quarantine:' + budget,
    quarantineSizes: budget => p + 'quarantine:' + budget + ':sizes',
    quarantined: id => p + 'quarantined:' + id,
    rateLimit: p + 'rate:',
    probe: p + 'probe',
    reloadChannel: p + 'reload',
    importing: p + 'importing',
    replicas: p + 'replicas',
    replica: id => p + 'replica:' + id,
    fingerprintSalt: p + 'fingerprint-salt',
    alerts: p + 'alerts',
    queuePrefix: p + 'queue'
  }
}
