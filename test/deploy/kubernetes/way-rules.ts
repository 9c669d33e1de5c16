/**
 * What must be true of the ways between pods: Services, the Ingress, and the
 * NetworkPolicies. Each rule tells what breaks it, as `Kind/name: …`.
 */
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1'
import type { IService } from 'kubernetes-models/v1'
import { parseRedisUrl } from '../../../src/redis/target.js'
import type { Deployed, Rule } from './deployed.js'
import { allOf, idOf, selects, type Manifest, type Pods } from './manifests.js'

type Peer = NonNullable<NonNullable<NonNullable<INetworkPolicy['spec']>['ingress']>[number]['from']>[number]

/** Who may use the admin API, pods and namespaces alike. */
const ADMIN_LABEL = { 'fotor-relay/admin': 'allowed' }

export const wayRules: Rule[] = [services, publicWay, policies, waysIn, waysOut]

function services ({ manifests, pods }: Deployed): string[] {
  return allOf(manifests, 'Service').flatMap(service => {
    const behind = podsBehind(service, pods)
    const type = service.spec?.type ?? 'ClusterIP'
    return [
      ...type === 'ClusterIP' ? [] : [`can be reached from outside the cluster (${type})`],
      ...behind.length === 1 ? [] : [`leads to ${behind.length} kinds of pods`],
      ...(service.spec?.ports ?? []).filter(port => behind.some(one => containerPort(one, port.targetPort) === undefined))
        .map(({ targetPort }) => `leads to the port ${targetPort}, which its pods do not have`),
      ...(service.spec?.ports ?? []).length === 1 ? [] : ['has more than one port: callbacks and operators have Services of their own']
    ].map(problem => `${idOf(service)}: ${problem}`)
  })
}

function publicWay ({ manifests, pods, config }: Deployed): string[] {
  return allOf(manifests, 'Ingress').flatMap(ingress => {
    const { rules = [], tls = [] } = ingress.spec ?? {}
    const encrypted = tls.flatMap(({ hosts = [] }) => hosts)
    const paths = rules.flatMap(({ http }) => http?.paths ?? [])
    return [
      ...rules.every(({ host }) => host !== undefined && encrypted.includes(host)) ? [] : ['has a host without TLS'],
      ...paths.length > 0 && paths.every(({ path, pathType }) => path === config.ingest.path && pathType === 'Exact') ? [] : [`lets another path in than ${config.ingest.path}`],
      ...paths.flatMap(({ backend }) => leadsToCallbacks({ manifests, pods }, backend.service) ? [] : [`leads to ${backend.service?.name}, which does not take callbacks`]),
      ...ingress.spec?.defaultBackend === undefined ? [] : ['lets every path in']
    ].map(problem => `${idOf(ingress)}: ${problem}`)
  })
}

function leadsToCallbacks ({ manifests, pods }: Pick<Deployed, 'manifests' | 'pods'>, backend: { name: string, port?: { name?: string, number?: number } } | undefined): boolean {
  const service = allOf(manifests, 'Service').find(({ metadata }) => metadata?.name === backend?.name)
  const port = service?.spec?.ports?.find(({ name, port }) => name === backend?.port?.name || port === backend?.port?.number)
  return service !== undefined && port?.targetPort === 'ingest' && podsBehind(service, pods).every(one => containerPort(one, 'ingest') !== undefined)
}

function policies ({ manifests, pods }: Deployed): string[] {
  const all = allOf(manifests, 'NetworkPolicy')
  const closed = all.some(({ spec }) => spec?.policyTypes?.length === 2 && spec.ingress === undefined && spec.egress === undefined && isEverything(spec.podSelector))
  return [
    ...closed ? [] : ['NetworkPolicy: none refuses what no other allows'],
    ...all.flatMap(policy => {
      const { podSelector = {}, ingress = [], egress = [] } = policy.spec ?? {}
      const peers = [...ingress.map(({ from }) => from), ...egress.map(({ to }) => to)]
      return [
        ...pods.some(({ labels }) => selects(podSelector, labels)) ? [] : ['is for no pods'],
        ...peers.every(some => some !== undefined && some.length > 0 && !some.some(isAnybody)) ? [] : ['is for anybody'],
        ...ingress.every(({ ports }) => ports !== undefined && ports.length > 0) ? [] : ['lets in on every port']
      ].map(problem => `${idOf(policy)}: ${problem}`)
    })
  ]
}

function waysIn ({ manifests, pods }: Deployed): string[] {
  return pods.flatMap(one => {
    const toCallbacks = peersTo(manifests, one, 'ingest')
    const toAdmin = peersTo(manifests, one, 'admin')
    return [
      ...containerPort(one, 'ingest') !== undefined && toCallbacks.length === 0 ? ['cannot be reached by callbacks'] : [],
      ...containerPort(one, 'admin') !== undefined && toAdmin.length === 0 ? ['cannot be reached by operators'] : [],
      ...toCallbacks.every(({ podSelector, namespaceSelector }) => namespaceSelector !== undefined && !isLabelled(namespaceSelector) && podSelector === undefined) ? [] : ['takes callbacks from elsewhere than the ingress controller'],
      ...toAdmin.every(({ podSelector, namespaceSelector }) => isLabelled(namespaceSelector ?? podSelector)) ? [] : ['lets others than operators in']
    ].map(problem => `${one.id}: ${problem}`)
  })
}

function waysOut ({ manifests, pods, config }: Deployed): string[] {
  const redisPort = parseRedisUrl(config.redis.url ?? '').port
  return pods.flatMap(one => {
    const ways = allOf(manifests, 'NetworkPolicy').filter(({ spec }) => selects(spec?.podSelector ?? {}, one.labels)).flatMap(({ spec }) => spec?.egress ?? [])
    const to = (port: number, protocol = 'TCP'): Peer[] => ways.filter(({ ports }) => ports?.some(other => other.port === port && other.protocol === protocol)).flatMap(({ to = [] }) => to)
    const anyPort = ways.filter(({ ports }) => ports === undefined).flatMap(({ to = [] }) => to)
    const toLabelled = (label: string): boolean => anyPort.some(({ namespaceSelector }) => namespaceSelector?.matchLabels?.[label] === 'allowed')
    const [toSubscribers, toReceivers] = [toLabelled('fotor-relay/subscriber'), toLabelled('fotor-relay/alerts')]
    return [
      ...to(53, 'UDP').length > 0 && to(53).length > 0 ? [] : ['cannot look up names'],
      ...(one.role === null) === (to(redisPort).length === 0) ? [] : [one.role === null ? 'can reach Redis' : `cannot reach Redis on ${redisPort}`],
      ...(one.role === 'deliver') === toSubscribers ? [] : [toSubscribers ? 'can reach subscribers' : 'cannot reach subscribers'],
      ...(one.role !== null) === toReceivers ? [] : [toReceivers ? 'can reach receivers of alerts' : 'cannot reach receivers of alerts'],
      ...to(redisPort).every(({ ipBlock }) => ipBlock !== undefined) ? [] : ['looks for Redis among the pods']
    ].map(problem => `${one.id}: ${problem}`)
  })
}

/** The pods that a Service leads to. */
export function podsBehind ({ spec }: IService, pods: readonly Pods[]): Pods[] {
  return pods.filter(({ labels }) => selects({ matchLabels: spec?.selector ?? {} }, labels))
}

/** By name, or by number. */
export function containerPort ({ spec }: Pods, port: string | number | undefined): number | undefined {
  return spec.containers.flatMap(({ ports = [] }) => ports).find(({ name, containerPort }) => name === port || containerPort === port)?.containerPort
}

/** Who is let in to one port of one kind of pods. */
export function peersTo (manifests: readonly Manifest[], pods: Pods, port: string): Peer[] {
  const number = containerPort(pods, port)
  if (number === undefined) return []
  return allOf(manifests, 'NetworkPolicy')
    .filter(({ spec }) => selects(spec?.podSelector ?? {}, pods.labels))
    .flatMap(({ spec }) => spec?.ingress ?? [])
    .filter(({ ports = [] }) => ports.some(({ port: open }) => open === number))
    .flatMap(({ from = [] }) => from)
}

function isLabelled (selector: { matchLabels?: Record<string, string> } = {}): boolean {
  return Object.entries(ADMIN_LABEL).every(([key, value]) => selector.matchLabels?.[key] === value)
}

function isEverything ({ matchLabels, matchExpressions }: { matchLabels?: object, matchExpressions?: unknown[] }): boolean {
  return Object.keys(matchLabels ?? {}).length === 0 && (matchExpressions ?? []).length === 0
}

function isAnybody ({ ipBlock, podSelector, namespaceSelector }: Peer): boolean {
  if (ipBlock !== undefined) return /\/0$/.test(ipBlock.cidr)
  return isEverything(podSelector ?? {}) && isEverything(namespaceSelector ?? {})
}
