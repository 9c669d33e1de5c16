/**
 * What must be true of how many pods there are, where they run, and what
 * outlives them. Each rule tells what breaks it, as `Kind/name: …`.
 */
import type { IDeployment, IStatefulSet } from 'kubernetes-models/apps/v1'
import type { Deployed, Rule } from './deployed.js'
import { allOf, idOf, selects, type Labels } from './manifests.js'

/** Fewer than two, and a node that goes takes everything with it. */
const LEAST_PODS = 2

export const growthRules: Rule[] = [
  eachGateway(function labels ({ spec }) {
    const { matchLabels = {} } = spec?.selector ?? {}
    return same(matchLabels, spec?.template.metadata?.labels) ? [] : ['does not select the pods it makes']
  }),
  eachGateway(function scaling (workload, { manifests }) {
    const scalers = allOf(manifests, 'HorizontalPodAutoscaler').filter(({ spec }) =>
      spec?.scaleTargetRef.kind === workload.kind && spec.scaleTargetRef.name === workload.metadata?.name && spec.scaleTargetRef.apiVersion === workload.apiVersion)
    if (scalers.length !== 1) return [`has ${scalers.length} autoscalers`]
    const { minReplicas = 1, maxReplicas = 1, metrics = [], behavior } = scalers[0]!.spec ?? {}
    const keepsVolumes = workload.kind === 'StatefulSet'
    return [
      ...workload.spec?.replicas === undefined ? [] : ['says how many, against its autoscaler'],
      ...minReplicas >= LEAST_PODS && maxReplicas > minReplicas ? [] : ['is too few'],
      ...metrics.some(({ resource }) => resource?.name === 'cpu') ? [] : ['is not scaled by CPU'],
      ...keepsVolumes === (behavior?.scaleDown?.selectPolicy === 'Disabled') ? [] : [keepsVolumes ? 'loses pods whose volumes may hold callbacks' : 'never shrinks']
    ]
  }),
  eachGateway(function disruption (workload, { manifests }) {
    const labels = labelsOf(workload)
    const budgets = allOf(manifests, 'PodDisruptionBudget').filter(({ spec }) => selects(spec?.selector ?? {}, labels))
    if (budgets.length !== 1) return [`has ${budgets.length} disruption budgets`]
    const { selector, maxUnavailable, unhealthyPodEvictionPolicy } = budgets[0]!.spec ?? {}
    return [
      ...same(selector?.matchLabels, labels) ? [] : ['shares its disruption budget'],
      ...maxUnavailable === 1 ? [] : ['may lose several pods at once, or none'],
      ...unhealthyPodEvictionPolicy === 'AlwaysAllow' ? [] : ['holds up a node with pods that do nothing']
    ]
  }),
  eachGateway(function spread (workload) {
    const spreads = workload.spec?.template.spec?.topologySpreadConstraints ?? []
    return ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].flatMap(key =>
      spreads.some(({ topologyKey, labelSelector }) => topologyKey === key && same(labelSelector?.matchLabels, labelsOf(workload))) ? [] : [`is not spread over ${key}`])
  }),
  function volumesLast ({ manifests }) {
    return allOf(manifests, 'StatefulSet').flatMap(set => {
      const { persistentVolumeClaimRetentionPolicy: kept, podManagementPolicy, serviceName } = set.spec ?? {}
      const names = allOf(manifests, 'Service').filter(({ metadata, spec }) => metadata?.name === serviceName && spec?.clusterIP === 'None' && selects({ matchLabels: spec.selector ?? {} }, labelsOf(set)))
      return [
        ...kept?.whenDeleted === 'Retain' && kept.whenScaled === 'Retain' ? [] : ['throws volumes away'],
        ...podManagementPolicy === 'Parallel' ? [] : ['starts its pods one after the other'],
        ...names.length === 1 ? [] : [`has no headless Service ${serviceName}`],
        ...set.spec?.template.spec?.securityContext?.fsGroupChangePolicy === 'OnRootMismatch' ? [] : ['opens its data to a group at each start']
      ].map(problem => `${idOf(set)}: ${problem}`)
    })
  },
  function bothRoles ({ pods }) {
    const roles = pods.flatMap(({ role }) => role ?? []).sort()
    return roles.join() === 'deliver,ingest' ? [] : [`roles: ${roles.join()}, and not each of deliver and ingest`]
  }
]

type Workload = IStatefulSet | IDeployment

function labelsOf (workload: Workload): Labels {
  return workload.spec?.template.metadata?.labels ?? {}
}

function same (one: Labels | undefined, other: Labels | undefined): boolean {
  const text = (labels: Labels = {}): string => JSON.stringify(Object.entries(labels).sort())
  return one !== undefined && text(one) === text(other)
}

function eachGateway (look: (workload: Workload, deployed: Deployed) => string[]): Rule {
  return deployed => [...allOf(deployed.manifests, 'StatefulSet'), ...allOf(deployed.manifests, 'Deployment')]
    .flatMap(workload => look(workload, deployed).map(problem => `${idOf(workload)}: ${problem}`))
}
