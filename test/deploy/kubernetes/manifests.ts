/**
 * What `kubectl apply -k deploy/kubernetes` sends to a cluster, made without
 * kubectl: of kustomize only what the kustomization uses, and an error for
 * everything else, so that the two cannot drift apart unseen.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { IDeployment, IStatefulSet } from 'kubernetes-models/apps/v1'
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2'
import type { ICronJob } from 'kubernetes-models/batch/v1'
import type { IIngress, INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1'
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1'
import type { IConfigMap, INamespace, IPodSpec, IService } from 'kubernetes-models/v1'
import { parseAllDocuments, type Document } from 'yaml'

export const ROOT = resolve(import.meta.dirname, '../../..')
export const FOLDER = join(ROOT, 'deploy/kubernetes')

export type Manifest = INamespace | IConfigMap | IService | IIngress | INetworkPolicy | IStatefulSet | IDeployment |
  ICronJob | IHorizontalPodAutoscaler | IPodDisruptionBudget
export type Kind = Manifest['kind']

interface Kustomization {
  apiVersion: string
  kind: string
  namespace: string
  resources: string[]
  images: Array<{ name: string, newName: string, newTag: string }>
  configMapGenerator: Array<{ name: string, files: string[] }>
  generatorOptions: { disableNameSuffixHash: boolean, labels: Record<string, string> }
}

const UNDERSTOOD: ReadonlyArray<keyof Kustomization> = [
  'apiVersion', 'kind', 'namespace', 'resources', 'images', 'configMapGenerator', 'generatorOptions'
]

/** Every file that is read here, relative to the folder. */
export function filesOf (): string[] {
  const { resources, configMapGenerator } = readKustomization()
  return ['kustomization.yaml', ...resources, ...configMapGenerator.flatMap(({ files }) => files)]
}

export function readKustomization (): Kustomization {
  const found = documentsIn('kustomization.yaml')[0]!.toJS() as Kustomization
  const unknown = Object.keys(found).filter(key => !(UNDERSTOOD as string[]).includes(key))
  if (unknown.length > 0) throw new Error(`this reader does not know ${unknown.join(', ')} of a kustomization`)
  if (!found.generatorOptions.disableNameSuffixHash) throw new Error('this reader makes no names with a hash')
  return found
}

/** Every document, as the cluster gets it. */
export function readManifests (): Manifest[] {
  const { namespace, resources, images, configMapGenerator, generatorOptions: { labels } } = readKustomization()
  const written = resources.flatMap(file => documentsIn(file).map(document => document.toJS() as Manifest))
  const generated = configMapGenerator.map<IConfigMap>(({ name, files }) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, labels },
    data: Object.fromEntries(files.map(file => [file, readFileSync(join(FOLDER, file), 'utf8')]))
  }))
  const manifests = [...written, ...generated]
  for (const manifest of manifests) {
    if (manifest.kind === 'Namespace') manifest.metadata!.name = namespace
    else manifest.metadata!.namespace = namespace
  }
  for (const container of podsOf(manifests).flatMap(({ spec }) => spec.containers)) {
    const image = images.find(({ name }) => name === container.image)
    if (image !== undefined) container.image = `${image.newName}:${image.newTag}`
  }
  return manifests
}

/** The documents of a file, as kubectl reads YAML: by version 1.1. */
export function documentsIn (file: string, version: '1.1' | '1.2' = '1.1'): Document[] {
  const documents = parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8'), { version })
  if ('empty' in documents) throw new Error(`${file} is empty`)
  const [problem] = documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])
  if (problem !== undefined) throw new Error(`${file}: ${problem.message}`)
  return documents as Document[]
}

/** `Service/fotor-relay`. */
export function idOf ({ kind, metadata }: Manifest): string {
  return `${kind}/${metadata?.name ?? ''}`
}

export function allOf<K extends Kind> (manifests: readonly Manifest[], kind: K): Array<Extract<Manifest, { kind: K }>> {
  return manifests.filter((one): one is Extract<Manifest, { kind: K }> => one.kind === kind)
}

export type Labels = Record<string, string>

/** Pods of one kind, whoever makes them. */
export interface Pods {
  /** Of what makes them: `Deployment/…`. */
  id: string
  labels: Labels
  spec: IPodSpec
  /** Volumes that each pod has of its own. */
  claims: string[]
  /** What `start --role` says; `null` for pods that are no gateways. */
  role: string | null
}

export function podsOf (manifests: readonly Manifest[]): Pods[] {
  return manifests.flatMap<Pods>(manifest => {
    const template = templateOf(manifest)
    if (template?.spec === undefined) return []
    const [command, flag, role] = template.spec.containers[0]?.args ?? []
    return [{
      id: idOf(manifest),
      labels: template.metadata?.labels ?? {},
      spec: template.spec,
      claims: manifest.kind === 'StatefulSet' ? (manifest.spec?.volumeClaimTemplates ?? []).map(({ metadata }) => metadata?.name ?? '') : [],
      role: command === 'start' ? (flag === '--role' ? role ?? '' : 'all') : null
    }]
  })
}

function templateOf (manifest: Manifest): { metadata?: { labels?: Labels }, spec?: IPodSpec } | undefined {
  if (manifest.kind === 'CronJob') return manifest.spec?.jobTemplate.spec?.template
  if (manifest.kind === 'StatefulSet' || manifest.kind === 'Deployment') return manifest.spec?.template
  return undefined
}

interface Selector {
  matchLabels?: Labels
  matchExpressions?: Array<{ key: string, operator: string, values?: string[] }>
}

/** Whether a selector picks what has these labels. */
export function selects ({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      if (operator !== 'In') throw new Error(`a selector says ${operator}, which is not understood here`)
      return values.includes(labels[key] ?? '')
    })
}
