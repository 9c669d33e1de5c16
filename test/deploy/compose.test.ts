/**
 * docker-compose.yml and the image keep the promises that the gateway makes:
 * durable before it is acknowledged, stopped without loss, closed to everyone
 * who is not a sender.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Script } from 'node:vm'
import t from '../support/tap.js'
import { parse } from 'yaml'
import { parseDuration } from '../../src/config/duration.js'
import { isRefusal } from '../../src/config/reading.js'
import { relaySchema } from '../../src/config/schema.js'

const ROOT = resolve(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

interface Service {
  image?: string
  build?: string
  command?: string[]
  user?: string
  depends_on?: Record<string, { condition: string }> | string[]
  environment?: Record<string, string>
  volumes?: string[]
  ports?: string[]
  healthcheck?: { test?: string[], disable?: boolean }
  stop_grace_period?: string
  profiles?: string[]
  read_only?: boolean
  security_opt?: string[]
  cap_drop?: string[]
}
interface Compose { services: Record<'redis' | 'gateway' | 'demo-subscriber', Service>, volumes: Record<string, unknown> }

const { services, volumes } = parse(read('docker-compose.yml')) as Compose
const { redis, gateway, 'demo-subscriber': demo } = services
const dockerfile = read('Dockerfile')

/** A setting as redis-server gets it on its command line. */
const redisSetting = (name: string): string | undefined => redis.command?.[redis.command.indexOf(`--${name}`) + 1]

t.test('Redis has every acknowledged callback on disk, and throws none away', async t => {
  t.equal(redisSetting('appendonly'), 'yes')
  t.equal(redisSetting('appendfsync'), 'always')
  t.equal(redisSetting('maxmemory-policy'), 'noeviction')
  t.match(redisSetting('maxmemory'), /^\$\{RELAY_REDIS_MAXMEMORY:-[1-9]\d*(mb|gb)\}$/, 'and it can be known when it is nearly full')
})

t.test('the data of both outlives their containers', async t => {
  t.strictSame(redis.volumes, ['redis-data:/data'])
  t.ok(gateway.volumes?.includes('gateway-data:/data'))
  t.strictSame(Object.keys(volumes).sort(), ['gateway-data', 'redis-data'])
  t.match(dockerfile, /^VOLUME \/data$/m)
  t.match(dockerfile, /ln -s \/data data /, 'the default dataDir of the image is the volume')
  t.equal(defaultOf(relaySchema.properties.dataDir), './data')
})

t.test('the gateway is killed no sooner than 5 s after its own grace has ended', async t => {
  const { shutdownDelay, shutdownGrace } = relaySchema.properties
  const ownMs = milliseconds(defaultOf(shutdownDelay)) + milliseconds(defaultOf(shutdownGrace))
  t.ok(milliseconds(gateway.stop_grace_period) >= ownMs + 5_000)
})

t.test('the gateway starts when its Redis answers', async t => {
  t.match(redis.healthcheck?.test?.join(' '), /redis-cli ping .*PONG/)
  t.strictSame(gateway.depends_on, { redis: { condition: 'service_healthy' } })
  t.equal(gateway.environment?.RELAY_REDIS_URL, 'redis://redis:6379')
})

t.test('the image is asked whether it lives, on the admin listener of the schema', async t => {
  const listen = defaultOf(relaySchema.properties.admin.properties.listen)
  t.match(dockerfile, /^HEALTHCHECK /m)
  t.ok(dockerfile.includes(`fetch('http://${listen}/healthz')`))
})

t.test('only the public listener can be reached from outside', async t => {
  t.strictSame(gateway.ports, ['8080:8080'])
  t.strictSame(dockerfile.match(/^EXPOSE .*$/gm), ['EXPOSE 8080'])
  t.equal(redis.ports, undefined)
  t.equal(demo.ports, undefined)
})

t.test('the configuration cannot be written from inside', async t => {
  t.ok(gateway.volumes?.includes('./config:/app/config:ro'))
})

t.test('no container has more rights than it needs', async t => {
  for (const [name, service] of Object.entries(services)) {
    t.equal(service.read_only, true, `${name}: read-only root`)
    t.strictSame(service.security_opt, ['no-new-privileges:true'], name)
    t.strictSame(service.cap_drop, ['ALL'], name)
  }
  t.equal(redis.user, 'redis')
  t.equal(dockerfile.match(/^USER .*$/gm)?.at(-1), 'USER node')
})

t.test('the demo subscriber runs only when it is asked for', async t => {
  t.strictSame(demo.profiles, ['demo'])
  t.equal(gateway.profiles, undefined)
  t.equal(demo.image, gateway.image)
  t.ok(new Script(demo.command?.[0] ?? 'missing('), 'its server is a program')
})

t.test('the process gets its signals itself', async t => {
  t.match(dockerfile, /^ENTRYPOINT \["node", "dist\/main\.js"\]$/m)
  t.match(dockerfile, /^CMD \["start"\]$/m)
  t.match(dockerfile, /^STOPSIGNAL SIGTERM$/m)
})

t.test('everything that the image copies is let through by .dockerignore', async t => {
  const allowed = read('.dockerignore').split('\n').filter(line => line.startsWith('!')).map(line => line.slice(1).replace(/\/$/, ''))
  const copied = dockerfile.split('\n')
    .filter(line => line.startsWith('COPY ') && !line.includes('--from'))
    .flatMap(line => line.split(' ').slice(1, -1))
  t.strictSame([...new Set(copied)].sort(), [...allowed].sort())
})

/** As written in the schema, `10s`. */
function defaultOf (entry: object): string {
  return String('default' in entry ? entry.default : undefined)
}

function milliseconds (duration: string | undefined): number {
  const reading = parseDuration(duration)
  if (isRefusal(reading)) throw new Error(`${duration} ${reading.problem}`)
  return reading.value
}
