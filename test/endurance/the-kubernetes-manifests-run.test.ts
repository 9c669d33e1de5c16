/**
 * The configuration of deploy/kubernetes runs: a gateway of each role, as the
 * pods have it, on a Redis with a password. What the manifests rely on (probes,
 * the proxy's header, the CronJob's command) is asked of the running gateways.
 *
 * Only places are changed: each pod's files lie in a directory of the test.
 */
import { execFile, type ExecFileException } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import t, { type Test } from '../support/tap.js'
import { MAIN, type GatewayProcess } from '../support/gateway.js'
import { isTaken, logged, setScene, type ExternalRedis, type Scene } from '../support/scene.js'
import { configIn, settle, writeSecret } from '../deploy/kubernetes/deployed.js'
import { podsOf, readManifests, type Pods } from '../deploy/kubernetes/manifests.js'
import { until } from '../support/until.js'

const manifests = readManifests()
const pods = podsOf(manifests)
const ofRole = (role: string | null): Pods => pods.find(one => one.role === role)!
const FOTOR = '54.212.95.175'
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'

/** One pod: its files, and the gateway in it. */
interface Pod extends GatewayProcess {
  /** What `/` would be. */
  root: string
  /** Changes its relay.yaml, as Kubernetes does some time after an apply. */
  configure (change?: (text: string) => string): void
}

const places = (text: string, root: string, redis: ExternalRedis): string => text
  .replace('listen: 0.0.0.0:8080', 'listen: 127.0.0.1:0')
  .replace('listen: 0.0.0.0:8081', 'listen: 0.0.0.0:0')
  .replace('trustedProxies: [10.0.0.0/8]', 'trustedProxies: [127.0.0.0/8]')
  .replace(/url: rediss:\S+/, `url: ${redis.url}`)
  .replace('dataDir: /data', `dataDir: ${root}/data`)
  .replace('shutdownDelay: 10s', 'shutdownDelay: 0s')

async function startPod (t: Test, { scene, redis, role }: { scene: Scene, redis: ExternalRedis, role: string }): Promise<Pod> {
  const root = mkdtempSync(join(tmpdir(), `relay-pod-${role}-`))
  t.teardown(() => { rmSync(root, { recursive: true, force: true }) })
  // As a volume is when it is mounted for a group.
  mkdirSync(join(root, 'data'))
  chmodSync(join(root, 'data'), 0o2775)
  const configure = (change: (text: string) => string = text => text): string => settle(root, change(places(configIn(manifests).text, root, redis)))
  const configFile = configure()
  const home = { dir: root, configFile, configure () {}, remove () {} }
  const gateway = await scene.process(home, ofRole(role).spec.containers[0]!.args!.slice(1))
  return Object.assign(gateway, { root, configure })
}

/** Both pods, as after an apply. */
async function apply (t: Test): Promise<{ ingest: Pod, deliver: Pod, scene: Scene }> {
  const scene = setScene(t)
  const redis = await scene.redis()
  const password = 'secret-of-run-secrets-redis-password'
  await redis.client().config('SET', 'requirepass', password)
  const [ingest, deliver] = await Promise.all(['ingest', 'deliver'].map(async role => await startPod(t, { scene, redis, role }))) as [Pod, Pod]
  return { ingest, deliver, scene }
}

interface Said { code: number, said: string }

async function fotorRelay (args: string[], env: NodeJS.ProcessEnv = {}): Promise<Said> {
  return await new Promise(resolve => {
    execFile(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } }, (error: ExecFileException | null, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, said: stdout + stderr })
    })
  })
}

/** What the CronJob runs, with the files of a pod. */
async function runJob ({ adminUrl, root }: Pod): Promise<Said> {
  return await fotorRelay(ofRole(null).spec.containers[0]!.args!.map(word =>
    word.startsWith('http:') ? adminUrl : word.startsWith('/') ? join(root, word) : word))
}

const [OPERATOR, RELOAD] = ['/run/secrets/admin/operator', '/run/secrets/admin/reload']

/** The same order, sent with one of the tokens as its file has it now. */
async function reload ({ adminUrl, root }: Pod, token = RELOAD): Promise<{ status: number, changed?: string[] }> {
  const response = await fetch(`${adminUrl}/api/v1/config/reload`, {
    method: 'POST', headers: { authorization: `Bearer ${readFileSync(join(root, token), 'utf8').trim()}` }
  })
  return { ...await response.json() as object, status: response.status }
}

const withSubscriber = (url: string) => (text: string): string =>
  text.replace('subscribers: []', `subscribers: [{ name: billing, url: "${url}", secrets: ["${SECRET}"] }]`)

const { ingest, deliver, scene } = await apply(t)

/** One after the other on the same two pods, each beginning with what is shipped. */
async function afterAnApply (title: string, run: (t: Test) => Promise<void>): Promise<void> {
  await t.test(title, async t => {
    for (const pod of [ingest, deliver]) {
      pod.configure()
      await hangUp(pod)
    }
    await run(t)
  })
}

/** SIGHUP: reads the files again, in this process alone and without a token. */
async function hangUp ({ child, log }: Pod): Promise<void> {
  const before = log.length
  child.kill('SIGHUP')
  await until(() => log.slice(before).find(({ msg }) => msg === 'config.loaded'))
}

await afterAnApply('a callback comes in through the controller at one pod, and goes out to a subscriber from the other', async t => {
  const subscriber = await scene.subscriber()
  const callback = { taskId: 't', status: 1, type: 'avatar' }

  await t.test('every probe is answered', async t => {
    for (const [pod, { spec }] of [[ingest, ofRole('ingest')], [deliver, ofRole('deliver')]] as const) {
      const { startupProbe, livenessProbe, readinessProbe } = spec.containers[0]!
      for (const probe of [startupProbe, livenessProbe, readinessProbe]) {
        t.equal((await fetch(pod.adminUrl + probe!.httpGet!.path)).status, 200, probe!.httpGet!.path!)
      }
    }
  })

  t.equal((await ingest.post(callback)).status, 403, 'the controller itself is nobody')
  t.match(await runJob(deliver), { code: 0, said: 'Reloaded; nothing has changed.' })
  for (const pod of [ingest, deliver]) pod.configure(withSubscriber(subscriber.url))
  t.match(await runJob(deliver), { code: 0, said: /^Reloaded; changed: subscribers/ })
  await logged(ingest, ({ msg, changed }) => msg === 'config.loaded' && JSON.stringify(changed).includes('subscribers'))

  t.ok(await isTaken(ingest, await ingest.post(callback, { 'x-forwarded-for': FOTOR })))
  const [received] = await subscriber.waitFor(1)
  t.strictSame(JSON.parse(received!.body.toString()), callback)
  t.match(received!.headers, { 'webhook-signature': /^v1,/ })
  t.equal(statSync(join(ingest.root, 'data/relay')).mode & 0o777, 0o700, 'below an open volume, the data is for the gateway alone')
})

await afterAnApply('what an operator runs in a pod finds the listener and the token by itself', async t => {
  const [{ name, value }] = ofRole('deliver').spec.containers[0]!.env as [{ name: string, value: string }]
  const file = join(deliver.root, basename(value))
  writeFileSync(file, readFileSync(file, 'utf8').replace('listen: 0.0.0.0:0', `listen: 0.0.0.0:${new URL(deliver.adminUrl).port}`))
  t.match(await fotorRelay(['status'], { [name]: file }), { code: 0 })
})

await afterAnApply('a pod whose files are late is caught by the next reload', async t => {
  const change = (text: string): string => text + '\ndedupe: { onLate: forward }\n'

  const early = ingest.log.length
  deliver.configure(change)
  t.match(await reload(deliver), { status: 200, changed: ['dedupe.onLate'] })
  t.match(await logged(ingest, ({ msg }) => msg === 'config.loaded', early), { changed: [] })
  ingest.configure(change)
  const before = ingest.log.length
  t.match(await reload(deliver), { status: 200, changed: [] })
  t.match(await logged(ingest, ({ msg }) => msg === 'config.loaded', before), { changed: ['dedupe.onLate'] })
})

await afterAnApply('a change with a fault fails the Job, and nobody takes it up', async t => {
  deliver.configure(text => text.replace('shutdownGrace: 20s', 'shutdownGrace: 20'))
  t.match(await runJob(deliver), { code: 2, said: /shutdownGrace/ })
  t.equal((await fetch(`${deliver.adminUrl}/readyz`)).status, 200)
})

await afterAnApply('a new password of Redis is not taken up by a reload', async t => {
  writeSecret(deliver.root, '/run/secrets/redis/password', 'another')
  t.match(await runJob(deliver), { code: 2, said: /redis\.password needs a restart/ })
})

await afterAnApply('each admin token is rotated with the help of the other', async t => {
  for (const [rotated, other] of [[RELOAD, OPERATOR], [OPERATOR, RELOAD]] as const) {
    for (const { root } of [ingest, deliver]) writeSecret(root, rotated, `new${rotated.replaceAll('/', '-')}`)
    t.match(await reload(deliver, rotated), { status: 401 }, 'nobody knows the new one')
    t.match(await reload(deliver, other), { status: 200 })
    t.match(await reload(deliver, rotated), { status: 200 })
  }
})

await afterAnApply('when both admin tokens are new at once, SIGHUP takes them up', async t => {
  for (const file of [OPERATOR, RELOAD]) writeSecret(deliver.root, file, `new${file.replaceAll('/', '-')}`)
  t.match(await reload(deliver), { status: 401 })
  await hangUp(deliver)
  t.match(await reload(deliver), { status: 200 })
})

t.test('each ends cleanly when its pod is told to', async t => {
  t.strictSame([await ingest.end('SIGTERM'), await deliver.end('SIGTERM')], [0, 0])
})
