/**
 * What must hold together in deploy/kubernetes holds, and each fault in the
 * tables below, planted in a manifest or in relay.yaml, is told.
 */
import t from '../../support/tap.js'
import { configIn, lookThrough } from './deployed.js'
import { readManifests, type Manifest } from './manifests.js'
import { planted, type Plant } from './plant.js'
import { problemsIn } from './rules.js'

const manifests = readManifests()
const INGEST = 'StatefulSet/fotor-relay-ingest'
const DELIVER = 'Deployment/fotor-relay-deliver'
const RELOAD = 'CronJob/fotor-relay-reload'
const POD = 'spec.template.spec'
const GATEWAY = `${POD}.containers.0`

t.test('everything holds together', async t => {
  t.strictSame(await problemsIn(manifests), [])
})

const IN_PODS: Plant[] = [
  ['root', INGEST, `${POD}.securityContext.runAsNonRoot`, false, /may be root/],
  ['user 0', DELIVER, `${POD}.securityContext.runAsUser`, 0, /may be root/],
  ['no seccomp profile', RELOAD, 'spec.jobTemplate.spec.template.spec.securityContext.seccompProfile', undefined, /has no seccomp profile/],
  ['the network of the node', DELIVER, `${POD}.hostNetwork`, true, /shares a namespace of its node/],
  ['a token for Kubernetes', INGEST, `${POD}.automountServiceAccountToken`, undefined, /has a token for the API/],
  ['variables from Services', INGEST, `${POD}.enableServiceLinks`, undefined, /gets variables from Services/],
  ['rights that can be gained', DELIVER, `${GATEWAY}.securityContext.allowPrivilegeEscalation`, undefined, /may gain rights/],
  ['a root that can be written', RELOAD, 'spec.jobTemplate.spec.template.spec.containers.0.securityContext.readOnlyRootFilesystem', false, /may write to its image/],
  ['a capability', INGEST, `${GATEWAY}.securityContext.capabilities.add`, ['NET_ADMIN'], /has capabilities/],
  ['another user for one container', INGEST, `${GATEWAY}.securityContext.runAsUser`, 0, /has another user/],
  ['no request', INGEST, `${GATEWAY}.resources.requests.cpu`, undefined, /does not say what it needs/],
  ['no limit on memory', DELIVER, `${GATEWAY}.resources.limits`, undefined, /has no limit on memory/],
  ['a limit on CPU', DELIVER, `${GATEWAY}.resources.limits.cpu`, '1', /is throttled/],
  ['whatever image is the latest', INGEST, `${GATEWAY}.image`, 'registry.example.com/fotor-relay:latest', /runs registry.example.com\/fotor-relay:latest/],
  ['a volume misspelt', INGEST, `${GATEWAY}.volumeMounts.4.name`, 'dat', /mounts dat, which is no volume/],
  ['a volume that nobody mounts', DELIVER, `${POD}.volumes.6`, { name: 'more', emptyDir: {} }, /never mounts more/],
  ['a mount by subPath', INGEST, `${GATEWAY}.volumeMounts.0.subPath`, 'relay.yaml', /by subPath, which never follows a change/],
  ['a configuration that can be written', INGEST, `${GATEWAY}.volumeMounts.0.readOnly`, undefined, /mounts config writable/],
  ['two volumes at one path', DELIVER, `${GATEWAY}.volumeMounts.5.mountPath`, '/data', /mounts two volumes at \/data/],
  ['another ConfigMap', DELIVER, `${POD}.volumes.0.configMap.name`, 'relay', /wants the ConfigMap relay/],
  ['secrets for everybody', INGEST, `${POD}.volumes.1.secret.defaultMode`, 0o444, /opens the files of redis-secret/],
  ['secrets for another group', INGEST, `${POD}.securityContext.fsGroup`, 2000, /cannot read its secrets/],
  ['a secret in a variable', DELIVER, `${GATEWAY}.env.1`, { name: 'RELAY_ADMIN_TOKEN', valueFrom: { secretKeyRef: { name: 'fotor-relay-admin', key: 'operator' } } }, /secrets are files/],
  ['another configuration', INGEST, `${GATEWAY}.env.0.value`, '/etc/fotor-relay/config.yaml', /reads \/etc\/fotor-relay\/config.yaml/],
  ['secrets elsewhere', DELIVER, `${GATEWAY}.volumeMounts.1.mountPath`, '/run/secrets/red', /has no Secret for \/run\/secrets\/redis\/password/],
  ['no volume for dataDir', DELIVER, `${GATEWAY}.volumeMounts.4.mountPath`, '/var/data', /has no volume above dataDir/],
  ['dataDir at the root of a volume', INGEST, `${GATEWAY}.volumeMounts.4.mountPath`, '/data/relay', /dataDir at the open root/],
  ['a dataDir that cannot be written', INGEST, `${GATEWAY}.volumeMounts.4.readOnly`, true, /cannot write to its dataDir/],
  ['a port that nobody listens on', DELIVER, `${GATEWAY}.ports.0.containerPort`, 8082, /has the ports .*8082/],
  ['liveness that asks for Redis', INGEST, `${GATEWAY}.livenessProbe.httpGet.path`, '/readyz', /is asked \/readyz to know whether it lives/],
  ['readiness that asks for nothing', DELIVER, `${GATEWAY}.readinessProbe.httpGet.path`, '/healthz', /is asked \/healthz to know whether it is ready/],
  ['a probe of a path that is not served', DELIVER, `${GATEWAY}.startupProbe.httpGet.path`, '/health', /is asked for \/health, which the admin listener does not serve/],
  ['a probe on the public port', INGEST, `${GATEWAY}.readinessProbe.httpGet.port`, 'ingest', /is asked on ingest/],
  ['no liveness', DELIVER, `${GATEWAY}.livenessProbe`, undefined, /is not asked whether it lives/],
  ['hasty liveness', INGEST, `${GATEWAY}.livenessProbe.failureThreshold`, 1, /is killed in haste/],
  ['hasty readiness', INGEST, `${GATEWAY}.readinessProbe.timeoutSeconds`, 1, /more haste than \/readyz has/],
  ['too little time to stop in', INGEST, `${POD}.terminationGracePeriodSeconds`, 30, /is killed before the 35 s/],
  ['the time to stop left out', DELIVER, `${POD}.terminationGracePeriodSeconds`, undefined, /is killed before the 35 s/],
  ['a preStop hook', INGEST, `${GATEWAY}.lifecycle`, { preStop: { exec: { command: ['sleep', '10'] } } }, /waits twice/],
  ['a role twice', DELIVER, `${GATEWAY}.args.2`, 'ingest', /roles: ingest,ingest/]
]

const BETWEEN_PODS: Plant[] = [
  ['a load balancer for operators', 'Service/fotor-relay-admin', 'spec.type', 'LoadBalancer', /can be reached from outside/],
  ['a Service for all pods', 'Service/fotor-relay-admin', 'spec.selector', { 'app.kubernetes.io/name': 'fotor-relay' }, /leads to 3 kinds of pods/],
  ['a Service for no pods', 'Service/fotor-relay', 'spec.selector', { 'app.kubernetes.io/name': 'relay' }, /leads to 0 kinds of pods/],
  ['a Service with a port that is not there', 'Service/fotor-relay-admin', 'spec.ports.0.targetPort', 'ingest', /leads to the port ingest/],
  ['operators beside callbacks', 'Service/fotor-relay', 'spec.ports.1', { name: 'admin', port: 8081, targetPort: 'admin' }, /has more than one port/],
  ['a public way to operators', 'Service/fotor-relay', 'spec.ports.0.targetPort', 'admin', /Ingress\/fotor-relay: leads to fotor-relay, which does not take callbacks/],
  ['another Service behind the Ingress', 'Ingress/fotor-relay', 'spec.rules.0.http.paths.0.backend.service.name', 'fotor-relay-admin', /leads to fotor-relay-admin/],
  ['another port behind the Ingress', 'Ingress/fotor-relay', 'spec.rules.0.http.paths.0.backend.service.port.name', 'admin', /which does not take callbacks/],
  ['another path', 'Ingress/fotor-relay', 'spec.rules.0.http.paths.0.path', '/', /lets another path in than \/webhooks\/fotor/],
  ['every path below', 'Ingress/fotor-relay', 'spec.rules.0.http.paths.0.pathType', 'Prefix', /lets another path in/],
  ['a host without TLS', 'Ingress/fotor-relay', 'spec.rules.0.host', 'other.example.com', /has a host without TLS/],
  ['a default backend', 'Ingress/fotor-relay', 'spec.defaultBackend', { service: { name: 'fotor-relay', port: { name: 'http' } } }, /lets every path in/],
  ['a default that is open', 'NetworkPolicy/nothing-by-default', 'spec.egress', [{}], /none refuses what no other allows/],
  ['a policy for pods that are not there', 'NetworkPolicy/subscribers-are-labelled', 'spec.podSelector.matchLabels', { app: 'relay' }, /is for no pods/],
  ['anybody', 'NetworkPolicy/callbacks-come-through-the-ingress-controller', 'spec.ingress.0.from', undefined, /is for anybody/],
  ['every namespace', 'NetworkPolicy/operators-are-labelled', 'spec.ingress.0.from.1.namespaceSelector', {}, /is for anybody/],
  ['the whole internet', 'NetworkPolicy/redis-is-in-a-private-network', 'spec.egress.0.to.0.ipBlock.cidr', '0.0.0.0/0', /is for anybody/],
  ['every port', 'NetworkPolicy/operators-are-labelled', 'spec.ingress.0.ports', undefined, /lets in on every port/],
  ['the ingress controller on the admin port', 'NetworkPolicy/callbacks-come-through-the-ingress-controller', 'spec.ingress.0.ports.1', { protocol: 'TCP', port: 8081 }, /lets others than operators in/],
  ['operators on the public port', 'NetworkPolicy/operators-are-labelled', 'spec.ingress.0.ports.1', { protocol: 'TCP', port: 8080 }, /takes callbacks from elsewhere/],
  ['callbacks on another port', 'NetworkPolicy/callbacks-come-through-the-ingress-controller', 'spec.ingress.0.ports.0.port', 80, /cannot be reached by callbacks/],
  ['operators on another port', 'NetworkPolicy/operators-are-labelled', 'spec.ingress.0.ports.0.port', 80, /cannot be reached by operators/],
  ['names over TCP alone', 'NetworkPolicy/names-are-looked-up', 'spec.egress.0.ports.0.protocol', 'TCP', /cannot look up names/],
  ['another port of Redis', 'NetworkPolicy/redis-is-in-a-private-network', 'spec.egress.0.ports.0.port', 6380, /cannot reach Redis on 6379/],
  ['Redis for the pods that reload', 'NetworkPolicy/redis-is-in-a-private-network', 'spec.podSelector.matchExpressions.0.values.2', 'reload', /can reach Redis/],
  ['subscribers for the pods that take callbacks', 'NetworkPolicy/subscribers-are-labelled', 'spec.podSelector.matchLabels', { 'app.kubernetes.io/component': 'ingest' }, /StatefulSet.*can reach subscribers/],
  ['no way to receivers of alerts for the pods that take callbacks', 'NetworkPolicy/receivers-of-alerts-are-labelled', 'spec.podSelector.matchExpressions.0.values', ['deliver'], /StatefulSet.*cannot reach receivers of alerts/],
  ['receivers of alerts for the pods that reload', 'NetworkPolicy/receivers-of-alerts-are-labelled', 'spec.podSelector.matchExpressions.0.values.2', 'reload', /can reach receivers of alerts/],
  ['no way to subscribers', 'NetworkPolicy/subscribers-are-labelled', 'spec.egress.0.ports', [{ protocol: 'TCP', port: 9001 }], /Deployment.*cannot reach subscribers/]
]

const IN_NUMBERS: Plant[] = [
  ['a number against the autoscaler', INGEST, 'spec.replicas', 2, /says how many, against its autoscaler/],
  ['an autoscaler of something else', 'HorizontalPodAutoscaler/fotor-relay-deliver', 'spec.scaleTargetRef.kind', 'StatefulSet', /Deployment.*has 0 autoscalers/],
  ['one pod', 'HorizontalPodAutoscaler/fotor-relay-ingest', 'spec.minReplicas', 1, /is too few/],
  ['another measure', 'HorizontalPodAutoscaler/fotor-relay-deliver', 'spec.metrics.0.resource.name', 'memory', /is not scaled by CPU/],
  ['ingest that shrinks by itself', 'HorizontalPodAutoscaler/fotor-relay-ingest', 'spec.behavior', undefined, /loses pods whose volumes may hold callbacks/],
  ['deliver that never shrinks', 'HorizontalPodAutoscaler/fotor-relay-deliver', 'spec.behavior', { scaleDown: { selectPolicy: 'Disabled' } }, /never shrinks/],
  ['a disruption budget for other pods', 'PodDisruptionBudget/fotor-relay-deliver', 'spec.selector.matchLabels', { app: 'relay' }, /has 0 disruption budgets/],
  ['a disruption budget for all pods', 'PodDisruptionBudget/fotor-relay-deliver', 'spec.selector.matchLabels', { 'app.kubernetes.io/name': 'fotor-relay' }, /shares its disruption budget/],
  ['a disruption budget that forbids', 'PodDisruptionBudget/fotor-relay-ingest', 'spec.maxUnavailable', 0, /may lose several pods at once, or none/],
  ['a disruption budget that holds up nodes', 'PodDisruptionBudget/fotor-relay-ingest', 'spec.unhealthyPodEvictionPolicy', undefined, /holds up a node/],
  ['all pods in one zone', DELIVER, `${POD}.topologySpreadConstraints.0.topologyKey`, 'zone', /is not spread over topology.kubernetes.io\/zone/],
  ['pods spread among others', INGEST, `${POD}.topologySpreadConstraints.1.labelSelector.matchLabels`, { 'app.kubernetes.io/name': 'fotor-relay' }, /is not spread over kubernetes.io\/hostname/],
  ['a selector of other pods', DELIVER, 'spec.selector.matchLabels', { 'app.kubernetes.io/name': 'fotor-relay' }, /does not select the pods it makes/],
  ['volumes thrown away', INGEST, 'spec.persistentVolumeClaimRetentionPolicy.whenScaled', 'Delete', /throws volumes away/],
  ['pods in a row', INGEST, 'spec.podManagementPolicy', undefined, /starts its pods one after the other/],
  ['no name for each pod', INGEST, 'spec.serviceName', 'fotor-relay', /has no headless Service fotor-relay/],
  ['data opened at each start', INGEST, `${POD}.securityContext.fsGroupChangePolicy`, undefined, /opens its data to a group/]
]

const JOB = 'spec.jobTemplate.spec.template'
const IN_RELOADS: Plant[] = [
  ['a Service that is not there', RELOAD, `${JOB}.spec.containers.0.args.2`, 'http://relay-admin:8081', /asks http:\/\/relay-admin:8081/],
  ['a port that is not there', RELOAD, `${JOB}.spec.containers.0.args.2`, 'http://fotor-relay-admin', /where no admin listener is/],
  ['the public Service', RELOAD, `${JOB}.spec.containers.0.args.2`, 'http://fotor-relay:80', /where no admin listener is/],
  ['a token that is not there', RELOAD, `${JOB}.spec.containers.0.args.4`, '/run/secrets/admin/token', /has \/run\/secrets\/admin\/token, a token that no gateway knows/],
  ['a token of another key', RELOAD, `${JOB}.spec.volumes.0.secret.items.0.key`, 'operator', /a token that no gateway knows/],
  ['a token of another Secret', RELOAD, `${JOB}.spec.volumes.0.secret.secretName`, 'fotor-relay-redis', /a token that no gateway knows/],
  ['all tokens', RELOAD, `${JOB}.spec.volumes.0.secret.items`, undefined, /sees tokens of others/],
  ['no label', RELOAD, `${JOB}.metadata.labels`, { 'app.kubernetes.io/name': 'fotor-relay', 'app.kubernetes.io/component': 'reload' }, /is not let in/],
  ['no way out', 'NetworkPolicy/reloads-are-ordered-from-inside', 'spec.egress.0.ports.0.port', 80, /CronJob.*is not let out/],
  ['twice at once', RELOAD, 'spec.concurrencyPolicy', 'Allow', /may run twice at once/],
  ['another command', RELOAD, `${JOB}.spec.containers.0.args.0`, 'status', /runs status/],
  ['a Secret', 'Namespace/fotor-relay', 'kind', 'Secret', /an apply would put it in the place of the real one/]
]

for (const plant of [...IN_PODS, ...BETWEEN_PODS, ...IN_NUMBERS, ...IN_RELOADS]) {
  const [fault, id, , , told] = plant
  t.test(`it would be told: ${fault} in ${id}`, async t => {
    t.match((await problemsIn(planted(manifests, plant))).join('\n'), told)
  })
}

/** What stands in relay.yaml, what somebody might write in its place, and what must be told. */
const IN_THE_CONFIGURATION: Array<[there: string, instead: string, told: RegExp]> = [
  ['trustedProxies', 'trustedProxis', /did you mean trustedProxies/],
  ['listen: 0.0.0.0:8080', 'listen: 0.0.0.0:8090', /StatefulSet.*has the ports/],
  ['listen: 0.0.0.0:8081', 'listen: 127.0.0.1:8081', /listens where its node cannot reach it/],
  ['path: /webhooks/fotor', 'path: /webhooks/other', /Ingress.*lets another path in than \/webhooks\/other/],
  ['admin/operator}', 'operators/operator}', /has no Secret for \/run\/secrets\/operators\/operator/],
  ['redis.example.internal:6379', 'redis.example.internal:6380', /cannot reach Redis on 6380/],
  ['dataDir: /data/relay', 'dataDir: /data', /has its dataDir at the open root/],
  ['dataDir: /data/relay', 'dataDir: /srv/relay', /has no volume above dataDir/],
  ['shutdownDelay: 10s', 'shutdownDelay: 0s', /stops accepting before anybody has noticed/],
  ['shutdownGrace: 20s', 'shutdownGrace: 30s', /is killed before the 45 s/],
  ['shutdownGrace: 20s', 'shutdownGrace: 10s', /cuts off attempts that could have ended/],
  ['admin/reload}', 'admin/operator}', /is the same token as/]
]

const { text } = configIn(manifests)
const withConfig = (changed: string): Manifest[] => planted(manifests, ['relay.yaml', 'ConfigMap/fotor-relay', 'data', { 'relay.yaml': changed }, /./])

for (const [there, instead, told] of IN_THE_CONFIGURATION) {
  t.test(`it would be told: ${instead} in relay.yaml`, async t => {
    t.ok(text.includes(there))
    t.match((await problemsIn(withConfig(text.replace(there, instead)))).join('\n'), told)
  })
}

t.test('the subscriber that relay.yaml has as an example is taken', async t => {
  const [before, example] = text.split(/^(?=# {3}- name: billing)/m) as [string, string]
  const changed = `${before}subscribers:\n${example.replace(/^# ?/gm, '').replace('subscribers: []', '')}`
  t.match(await lookThrough(withConfig(changed)), { config: { subscribers: [{ name: 'billing', secrets: [/^whsec_/] }] } })
  t.strictSame(await problemsIn(withConfig(changed)), [])
})
