/** A cluster takes the manifests: each is what the API of Kubernetes allows, and what kubectl makes of them is what is tested. */
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import t from '../../support/tap.js'
import { parseAllDocuments } from 'yaml'
import { unknownKeysIn, wrongValuesIn } from './kubernetes-api.js'
import { documentsIn, filesOf, FOLDER, idOf, readManifests, type Manifest } from './manifests.js'
import { planted, type Plant } from './plant.js'

const manifests = readManifests()

t.test('every file in the folder is used', async t => {
  t.strictSame(filesOf().sort(), readdirSync(FOLDER).sort())
})

t.test('every manifest says the same to every reader of YAML', async t => {
  for (const file of filesOf()) {
    const read = (version: '1.1' | '1.2'): unknown => documentsIn(file, version).map(document => document.toJS() as unknown)
    t.strictSame(read('1.1'), read('1.2'), `${file}: no 0440, no bare yes, on or 1:30`)
  }
})

t.test('nothing is there twice, and everything is in the namespace', async t => {
  const ids = manifests.map(idOf)
  t.strictSame(ids, [...new Set(ids)])
  const [namespace, ...others] = manifests
  t.equal(namespace!.kind, 'Namespace')
  for (const one of others) t.equal(one.metadata?.namespace, namespace!.metadata?.name, idOf(one))
})

t.test('every manifest is valid', async t => {
  t.strictSame(await wrongValuesIn(manifests), [])
})

t.test('no manifest has a key that the API does not know', async t => {
  t.strictSame(unknownKeysIn(manifests), [])
})

const WRONG_VALUES: Plant[] = [
  ['a port in quotes', 'StatefulSet/fotor-relay-ingest', 'spec.template.spec.containers.0.ports.0.containerPort', '8080', /containerPort must be integer/],
  ['an amount that is none', 'Deployment/fotor-relay-deliver', 'spec.template.spec.containers.0.resources.limits.memory', '512 MB', /memory must match format "quantity"/],
  ['a policy that there is not', 'StatefulSet/fotor-relay-ingest', 'spec.podManagementPolicy', 'Whenever', /podManagementPolicy must be equal to one of/],
  ['a missing selector', 'Deployment/fotor-relay-deliver', 'spec.selector', undefined, /must have required property selector/],
  ['a path without its type', 'Ingress/fotor-relay', 'spec.rules.0.http.paths.0.pathType', undefined, /must have required property pathType/],
  ['a version that was removed', 'PodDisruptionBudget/fotor-relay-ingest', 'apiVersion', 'policy/v1beta9', /there is no PodDisruptionBudget in policy\/v1beta9/]
]

for (const [fault, id, path, value, told] of WRONG_VALUES) {
  t.test(`it would be seen: ${fault}`, async t => {
    t.match(await wrongValuesIn(planted(manifests, [fault, id, path, value, told])), [new RegExp(`^${id}: .*${told.source}`)])
  })
}

const UNKNOWN_KEYS: Plant[] = [
  ['a key misspelt', 'StatefulSet/fotor-relay-ingest', 'spec.template.spec.containers.0.readinesProbe', {}, /"readinesProbe"' does not exist/],
  ['a key in the wrong place', 'Deployment/fotor-relay-deliver', 'spec.template.spec.containers.0.terminationGracePeriodSeconds', 40, /"terminationGracePeriodSeconds"' does not exist/],
  ['a key of a rule', 'NetworkPolicy/operators-are-labelled', 'spec.ingress.0.to', [], /"to"' does not exist/],
  ['a key of a selector', 'PodDisruptionBudget/fotor-relay-ingest', 'spec.selector.matchLabel', {}, /"matchLabel"' does not exist/]
]

t.test('it would be seen: what the API does not know', async t => {
  const all = UNKNOWN_KEYS.map(plant => planted(manifests, plant).find(one => idOf(one) === plant[1])!)
  const found = unknownKeysIn(all)
  t.equal(found.length, UNKNOWN_KEYS.length)
  UNKNOWN_KEYS.forEach(([fault, id, , , told], at) => { t.match(found[at], new RegExp(`^${id}: .*${told.source}`), fault) })
})

/** As kubectl makes them; `null` where there is no kubectl. */
function fromKubectl (): Manifest[] | null {
  try {
    const text = execFileSync('kubectl', ['kustomize', FOLDER], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    return parseAllDocuments(text, { version: '1.1' }).map(document => document.toJS() as Manifest)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

t.test('kubectl makes of them what is tested here', async t => {
  const theirs = fromKubectl()
  if (theirs === null) {
    t.pass('there is no kubectl on this machine to compare with')
    return
  }
  const byId = (some: readonly Manifest[]): Record<string, Manifest> => Object.fromEntries(some.map(one => [idOf(one), one]))
  t.strictSame(byId(theirs), byId(manifests))
})
