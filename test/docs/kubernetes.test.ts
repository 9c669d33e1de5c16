/**
 * docs/kubernetes.md speaks of what is in deploy/kubernetes: its commands name
 * what is there, its tables leave nothing out, its examples can be used.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from '../support/tap.js'
import { parse, stringify } from 'yaml'
import { loadConfig } from '../../src/config/load.js'
import { configIn, secretFilesIn, settle } from '../deploy/kubernetes/deployed.js'
import { allOf, documentsIn, filesOf, FOLDER, idOf, podsOf, readManifests, ROOT } from '../deploy/kubernetes/manifests.js'
import { secretBehind } from '../deploy/kubernetes/pod-rules.js'

const PAGE = readFileSync(join(ROOT, 'docs/kubernetes.md'), 'utf8')
const manifests = readManifests()
const pods = podsOf(manifests)
const { text: shipped } = configIn(manifests)
const names = (kind: string): string[] => manifests.map(idOf).filter(id => id.toLowerCase().startsWith(`${kind}/`)).map(id => id.split('/')[1]!)

/** The code blocks of a language, without their indentation. */
function blocks (language: string): string[] {
  return [...PAGE.matchAll(new RegExp('^( *)```' + language + '\\n([\\s\\S]*?)^ *```$', 'gm'))]
    .map(([, indent, text]) => text!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''))
}
const commands = blocks('sh').join('')

/** The cells of each row of every table that has this heading. */
function rows (heading: string): string[][] {
  const tables = PAGE.split('\n\n').filter(part => part.trimStart().startsWith(`| ${heading} |`))
  return tables.flatMap(table => table.trimEnd().split('\n').slice(2).map(row => row.split('|').slice(1, -1).map(cell => cell.trim())))
}

t.test('every command is for something that is there', async t => {
  const named = [...commands.matchAll(/\b(statefulset|deployment)\/([a-z-]+)/g)]
  t.ok(named.length > 5)
  for (const [, kind, name] of named) t.ok(names(kind!).includes(name!), `${kind}/${name}`)
  for (const [, name] of commands.matchAll(/exec (?:-i )?(fotor-relay-ingest)-\d/g)) t.ok(names('statefulset').includes(name!))
  for (const [, namespace] of commands.matchAll(/ -n (\S+)/g)) t.ok(names('namespace').includes(namespace!), namespace!)
  for (const [, path] of commands.matchAll(/ -[kf] (deploy\/\S+)/g)) {
    t.ok(path === 'deploy/kubernetes' || filesOf().includes(path!.replace('deploy/kubernetes/', '')), path!)
  }
})

t.test('every command of the gateway is one that it has, and reads the file it has', async t => {
  const own = readdirSync(join(ROOT, 'src/cli/commands')).map(file => file.replace('.ts', ''))
  const used = [...commands.matchAll(/(?:-- |&& )fotor-relay ([a-z]+)/g)].map(([, command]) => command!)
  t.strictSame(used.filter(command => !own.includes(command)), [])
  t.ok(used.includes('reload') && used.includes('check'))
  const files = [...commands.matchAll(/sha256sum (\S+)/g)].map(([, file]) => file!)
  const configs = pods.filter(({ role }) => role !== null).map(({ spec }) => spec.containers[0]!.env?.[0]?.value)
  t.ok(files.length > 0 && files.every(file => configs.every(config => config === file)))
})

t.test('the secrets that are to be made are those that the pods want', async t => {
  const fromVolumes = pods.flatMap(({ spec }) => spec.volumes ?? []).flatMap(({ secret }) => secret?.secretName ?? [])
  const fromIngress = allOf(manifests, 'Ingress').flatMap(({ spec }) => spec?.tls ?? []).map(({ secretName }) => secretName!)
  const listed = rows('Secret').map(([name]) => name!.replaceAll('`', ''))
  t.strictSame([...listed].sort(), [...new Set([...fromVolumes, ...fromIngress])].sort())

  const made = Object.fromEntries([...commands.matchAll(/create secret generic (\S+) (.*)/g)]
    .map(([, name, flags]) => [name, [...flags!.matchAll(/--from-(?:literal|file)=([\w.-]+)=/g)].map(([, key]) => key!)]).filter(([, keys]) => keys!.length > 0)) as Record<string, string[]>
  for (const file of secretFilesIn(shipped)) {
    const { secret, key } = secretBehind(pods[0]!.spec, file)!
    t.ok(made[secret.secretName!]?.includes(key), `${file} is made as ${secret.secretName}: ${key}`)
  }
})

t.test('every place that is marked "change:" is in the table', async t => {
  const marked = filesOf().flatMap(file => [...readFileSync(join(FOLDER, file), 'utf8').matchAll(/^ *# change: /gm)].map(() => file))
  t.strictSame(rows('file').map(([file]) => file!.replaceAll('`', '')).sort(), marked.sort())
})

t.test('everything that is deployed is in the table', async t => {
  const told = rows('what').map(([what]) => what!).join('\n')
  for (const { kind, metadata } of manifests) {
    if (kind === 'Namespace') continue
    const isNamed = ['StatefulSet', 'Deployment', 'ConfigMap', 'CronJob', 'Service'].includes(kind)
    const plural = new RegExp(kind.replace(/y$/, '(y|ie)'))
    t.match(told, isNamed ? `${metadata!.name}\`` : plural, `${kind} ${metadata!.name}`)
    t.match(told, plural)
  }
})

t.test('every example of relay.yaml can be used', async t => {
  const examples = blocks('yaml').filter(block => block.startsWith('# relay.yaml'))
  t.equal(examples.length, 2)
  const dir = mkdtempSync(join(tmpdir(), 'relay-page-'))
  t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })
  const authority = join(dir, 'ca.crt')
  writeFileSync(authority, readFileSync(join(ROOT, 'test/config/tls/one.crt')))
  for (const example of examples) {
    const text = stringify({ ...parse(shipped) as object, ...parse(example) as object }, { lineWidth: 0 })
    t.ok(secretBehind(pods[0]!.spec, /caFile: (\S+)/.exec(text)?.[1] ?? '/run/secrets/redis/x'), 'its files are in a Secret')
    const loaded = await loadConfig({ file: settle(dir, text.replace('/run/secrets/redis/ca.crt', authority)), env: {} })
    t.match(loaded, { config: { redis: { tls: { enabled: true }, password: /^secret-of/ } } }, example)
  }
})

t.test('the overlay changes what is there', async t => {
  const [overlay] = blocks('yaml').filter(block => block.startsWith('# kustomization.yaml'))
  const { images, configMapGenerator, generatorOptions, patches } = parse(overlay!) as {
    images: Array<{ name: string }>
    configMapGenerator: Array<{ name: string, behavior: string, files: string[] }>
    generatorOptions: { disableNameSuffixHash: boolean }
    patches: Array<{ target: { kind: string, name: string }, patch: string }>
  }
  const { newName } = (documentsIn('kustomization.yaml')[0]!.toJS() as { images: [{ newName: string }] }).images[0]
  t.strictSame(images.map(({ name }) => name), [newName], 'the image by the name that the manifests give it')
  t.match(configMapGenerator, [{ name: names('configmap')[0], behavior: 'replace', files: ['relay.yaml'] }])
  t.equal(generatorOptions.disableNameSuffixHash, true)
  for (const { target, patch } of patches) {
    const manifest = manifests.find(one => idOf(one) === `${target.kind}/${target.name}`)
    for (const { op, path } of parse(patch) as Array<{ op: string, path: string }>) {
      const found = path.split('/').slice(1).reduce<unknown>((place, step) => (place as Record<string, unknown> | undefined)?.[step], manifest)
      t.ok(op === 'replace' && found !== undefined, `${target.name} has ${path}`)
    }
  }
})

t.test('its times are those of relay.yaml', async t => {
  const { shutdownDelay, shutdownGrace } = parse(shipped) as Record<string, string>
  t.match(PAGE.replace(/\s+/g, ' '), `keeps a pod accepting for ${parseInt(shutdownDelay!)} s after SIGTERM`)
  t.match(PAGE.replace(/\s+/g, ' '), `have \`shutdownGrace\`, ${parseInt(shutdownGrace!)} s`)
})
