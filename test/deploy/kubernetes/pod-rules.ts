/**
 * What must be true of the pods: rights, files, probes, and the time to stop
 * in. Each rule tells what breaks it, as `Kind/name: …`.
 */
import { posix } from 'node:path'
import type { IContainer, IPodSpec, IProbe, IVolume } from 'kubernetes-models/v1'
import type { AdminOptions } from '../../../src/admin/app.js'
import { healthRoutes } from '../../../src/admin/health.js'
import type { Deployed, Rule } from './deployed.js'
import { allOf, type Pods } from './manifests.js'

/** Group and others of 0440. */
const READABLE_BY_GROUP = 0o440
/** What a supervisor gives a gateway beyond its own times (docs/operations.md). */
const SPARE_MS = 5_000
/** `/readyz` says no within about a second. */
const LEAST_READY_TIMEOUT_S = 2
/** A busy minute is no reason to kill. */
const LEAST_LIVE_S = 30

/** The rules that hold for every pod, gateways or not. */
export const podRules: Rule[] = [
  each(function noRights ({ spec }) {
    const { securityContext: pod = {} } = spec
    return [
      ...pod.runAsNonRoot === true && (pod.runAsUser ?? 0) > 0 && (pod.runAsGroup ?? 0) > 0 ? [] : ['may be root'],
      ...pod.seccompProfile?.type === 'RuntimeDefault' ? [] : ['has no seccomp profile'],
      ...spec.hostNetwork || spec.hostPID || spec.hostIPC ? ['shares a namespace of its node'] : [],
      ...spec.automountServiceAccountToken === false ? [] : ['has a token for the API of Kubernetes'],
      ...spec.enableServiceLinks === false ? [] : ['gets variables from Services'],
      ...containersOf(spec).flatMap(rightsOf)
    ]
  }),
  each(function amounts ({ spec }) {
    return containersOf(spec).flatMap(({ resources: { requests = {}, limits = {} } = {} }) => [
      ...requests.cpu !== undefined && requests.memory !== undefined ? [] : ['does not say what it needs'],
      ...limits.memory !== undefined ? [] : ['has no limit on memory'],
      ...limits.cpu === undefined ? [] : ['is throttled']
    ])
  }),
  each(function image ({ spec }, { version }) {
    return containersOf(spec).filter(({ image = '' }) => !image.endsWith(`:${version}`)).map(({ image }) => `runs ${image}, not ${version}`)
  }),
  each(function volumes (pods, deployed) { return volumesOf(pods, deployed) }),
  each(function secretsAreFiles ({ spec }) {
    const fromOutside = containersOf(spec).some(({ env = [], envFrom = [] }) => envFrom.length > 0 || env.some(({ valueFrom }) => valueFrom !== undefined))
    return fromOutside ? ['takes a variable from elsewhere: secrets are files'] : []
  })
]

function rightsOf ({ securityContext: rights = {} }: IContainer): string[] {
  const { drop = [], add = [] } = rights.capabilities ?? {}
  return [
    ...rights.allowPrivilegeEscalation === false && rights.privileged !== true ? [] : ['may gain rights'],
    ...rights.readOnlyRootFilesystem === true ? [] : ['may write to its image'],
    ...drop.includes('ALL') && add.length === 0 ? [] : ['has capabilities'],
    ...rights.runAsUser === undefined && rights.runAsNonRoot !== false ? [] : ['has another user than its pod']
  ]
}

function volumesOf ({ spec, claims }: Pods, { manifests }: Deployed): string[] {
  const volumes = spec.volumes ?? []
  const mounts = containersOf(spec).flatMap(({ volumeMounts = [] }) => volumeMounts)
  const there = [...volumes.map(({ name }) => name), ...claims]
  const configMaps = allOf(manifests, 'ConfigMap').map(({ metadata }) => metadata?.name)
  const isFixed = (name: string): boolean => volumes.some(volume => volume.name === name && (volume.secret ?? volume.configMap) !== undefined)
  return [
    ...mounts.filter(({ name }) => !there.includes(name)).map(({ name }) => `mounts ${name}, which is no volume`),
    ...there.filter(name => !mounts.some(mount => mount.name === name)).map(name => `never mounts ${name}`),
    ...mounts.filter(({ subPath, subPathExpr }) => (subPath ?? subPathExpr) !== undefined).map(({ name }) => `mounts ${name} by subPath, which never follows a change`),
    ...mounts.filter(({ name, readOnly }) => isFixed(name) && readOnly !== true).map(({ name }) => `mounts ${name} writable`),
    ...repeated(mounts.map(({ mountPath }) => mountPath)).map(path => `mounts two volumes at ${path}`),
    ...volumes.flatMap(({ configMap }) => configMap === undefined || configMaps.includes(configMap.name) ? [] : [`wants the ConfigMap ${configMap.name}, which is not there`]),
    ...volumes.filter(({ secret }) => secret !== undefined && secret.defaultMode !== READABLE_BY_GROUP).map(({ name }) => `opens the files of ${name} to others, or to nobody`),
    ...volumes.some(({ secret }) => secret !== undefined) && spec.securityContext?.fsGroup !== spec.securityContext?.runAsGroup ? ['cannot read its secrets'] : []
  ]
}

/** The rules that hold for gateways. */
export const gatewayRules: Rule[] = [
  eachGateway(function configuration ({ spec }, { configFile }) {
    const [{ env = [], volumeMounts = [] }] = spec.containers as [IContainer]
    const named = env.find(({ name }) => name === 'RELAY_CONFIG')?.value ?? ''
    const mount = volumeMounts.find(({ mountPath }) => mountPath === posix.dirname(named))
    const volume = spec.volumes?.find(({ name }) => name === mount?.name)
    return volume?.configMap?.name === configFile.configMap && posix.basename(named) === configFile.key ? [] : [`reads ${named}, which is not the ConfigMap`]
  }),
  eachGateway(function secretFiles ({ spec }, { secretFiles }) {
    return secretFiles.filter(file => secretBehind(spec, file) === null).map(file => `has no Secret for ${file} of relay.yaml`)
  }),
  eachGateway(function dataDir ({ spec }, { config }) {
    const mount = spec.containers[0]!.volumeMounts?.find(({ mountPath }) => isBelow(config.dataDir, mountPath))
    if (mount === undefined) return [`has no volume above dataDir, ${config.dataDir}`]
    return mount.mountPath === config.dataDir ? ['has its dataDir at the open root of a volume'] : mount.readOnly === true ? ['cannot write to its dataDir'] : []
  }),
  eachGateway(function ports ({ spec, role }, { config }) {
    const wanted = { admin: config.admin.listen.port, ...role === 'deliver' ? {} : { ingest: config.ingest.listen.port } }
    const found = Object.fromEntries((spec.containers[0]!.ports ?? []).map(({ name, containerPort }) => [name ?? '', containerPort]))
    return JSON.stringify(sorted(wanted)) === JSON.stringify(sorted(found)) ? [] : [`has the ports ${JSON.stringify(found)}, listens on ${JSON.stringify(wanted)}`]
  }),
  eachGateway(function listeners (_pods, { config }) {
    return [config.ingest.listen, config.admin.listen].some(({ host }) => host !== '0.0.0.0' && host !== '::') ? ['listens where its node cannot reach it'] : []
  }),
  eachGateway(function probes ({ spec }) {
    const { startupProbe, livenessProbe, readinessProbe } = spec.containers[0]!
    return [
      ...probe('starts', startupProbe, '/healthz'),
      ...probe('lives', livenessProbe, '/healthz'),
      ...probe('is ready', readinessProbe, '/readyz'),
      ...patienceOf(livenessProbe) >= LEAST_LIVE_S ? [] : ['is killed in haste'],
      ...(readinessProbe?.timeoutSeconds ?? 1) >= LEAST_READY_TIMEOUT_S ? [] : ['is asked for more haste than /readyz has']
    ]
  }),
  eachGateway(function timeToStop ({ spec }, { config }) {
    const wantedMs = config.shutdownDelayMs + config.shutdownGraceMs + SPARE_MS
    return [
      ...(spec.terminationGracePeriodSeconds ?? 30) * 1_000 >= wantedMs ? [] : [`is killed before the ${wantedMs / 1_000} s that relay.yaml wants`],
      ...config.shutdownDelayMs > 0 ? [] : ['stops accepting before anybody has noticed'],
      ...config.shutdownGraceMs > config.delivery.timeoutMs ? [] : ['cuts off attempts that could have ended'],
      ...spec.containers.some(({ lifecycle }) => lifecycle?.preStop !== undefined) ? ['waits twice before it stops'] : []
    ]
  })
]

/** What the admin listener answers without a token. */
const OPEN_PATHS = healthRoutes({} as AdminOptions).filter(({ open }) => open === true).map(({ path }) => path)

function probe (what: string, probe: IProbe | undefined, path: string): string[] {
  const { httpGet } = probe ?? {}
  if (httpGet === undefined) return [`is not asked whether it ${what}`]
  return [
    ...OPEN_PATHS.includes(httpGet.path ?? '') ? [] : [`is asked for ${httpGet.path}, which the admin listener does not serve`],
    ...httpGet.path === path ? [] : [`is asked ${httpGet.path} to know whether it ${what}`],
    ...httpGet.port === 'admin' ? [] : [`is asked on ${httpGet.port}`]
  ]
}

function patienceOf ({ periodSeconds = 10, failureThreshold = 3 }: IProbe = {}): number {
  return periodSeconds * failureThreshold
}

/** The volume of the Secret that has this file, and the key. */
export function secretBehind (spec: IPodSpec, file: string): { secret: NonNullable<IVolume['secret']>, key: string } | null {
  const mount = spec.containers[0]?.volumeMounts?.find(({ mountPath }) => mountPath === posix.dirname(file))
  const secret = spec.volumes?.find(({ name }) => name === mount?.name)?.secret
  if (secret === undefined) return null
  const name = posix.basename(file)
  const key = secret.items === undefined ? name : secret.items.find(({ path }) => path === name)?.key
  return key === undefined ? null : { secret, key }
}

function containersOf (spec: IPodSpec): IContainer[] {
  return [...spec.initContainers ?? [], ...spec.containers]
}

function isBelow (path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`)
}

function sorted (some: Record<string, unknown>): Array<[string, unknown]> {
  return Object.entries(some).sort(([one], [other]) => one.localeCompare(other))
}

function repeated (some: string[]): string[] {
  return some.filter((one, at) => some.indexOf(one) !== at)
}

/** Of each kind of pods. */
function each (look: (pods: Pods, deployed: Deployed) => string[]): Rule {
  return deployed => deployed.pods.flatMap(pods => look(pods, deployed).map(problem => `${pods.id}: ${problem}`))
}

/** Of those that run `start`. */
function eachGateway (look: (pods: Pods, deployed: Deployed) => string[]): Rule {
  return deployed => deployed.pods.filter(({ role }) => role !== null).flatMap(pods => look(pods, deployed).map(problem => `${pods.id}: ${problem}`))
}
