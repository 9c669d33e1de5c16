/**
 * What the API of Kubernetes allows, asked of the package kubernetes-models,
 * which is made from the API's own OpenAPI document and needs no cluster.
 *
 * Its validators (JSON Schema, compiled) see wrong values and what is missing,
 * but pass over a key that the API does not know, as in `readinesProbe`. Its
 * types do not: each manifest is compiled as a literal of its type.
 */
import { join } from 'node:path'
import ts from 'typescript'
import { idOf, ROOT, type Manifest } from './manifests.js'

interface Model { validate (): void }
type Models = Record<string, (new (data: object) => Model) | undefined>

const FOLDER = join(ROOT, 'test/deploy/kubernetes')

/** Wrong and missing values of each manifest, as `Kind/name: …`. */
export async function wrongValuesIn (manifests: readonly Manifest[]): Promise<string[]> {
  const wrong: string[] = []
  for (const manifest of manifests) {
    const Model = await modelOf(manifest)
    try {
      if (Model === undefined) throw new Error(`there is no ${manifest.kind} in ${manifest.apiVersion}`)
      new Model(manifest).validate()
    } catch (error) {
      wrong.push(`${idOf(manifest)}: ${(error as Error).message}`)
    }
  }
  return wrong
}

async function modelOf ({ apiVersion, kind }: Manifest): Promise<(new (data: object) => Model) | undefined> {
  try {
    const models = await import(`kubernetes-models/${apiVersion}`) as Models
    return models[kind]
  } catch {
    return undefined
  }
}

/** Keys that the API does not know, as `Kind/name: …`; all manifests at once, since the compiler takes seconds to get going. */
export function unknownKeysIn (manifests: readonly Manifest[]): string[] {
  const sources = new Map(manifests.map((manifest, at) => [join(FOLDER, `literal-${at}.ts`), manifest]))
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: [],
    strict: true,
    skipLibCheck: true,
    noEmit: true
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = file => sources.has(file) || fileExists(file)
  host.getSourceFile = (file, version, ...more) => {
    const manifest = sources.get(file)
    return manifest === undefined ? getSourceFile(file, version, ...more) : ts.createSourceFile(file, literalOf(manifest), version)
  }
  const program = ts.createProgram([...sources.keys()], options, host)
  return [...sources].flatMap(([file, manifest]) =>
    [...program.getSyntacticDiagnostics(program.getSourceFile(file)), ...program.getSemanticDiagnostics(program.getSourceFile(file))]
      .map(({ messageText }) => `${idOf(manifest)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`))
}

function literalOf (manifest: Manifest): string {
  const { apiVersion, kind } = manifest
  return `import type { I${kind} } from 'kubernetes-models/${apiVersion}'\nexport const manifest: I${kind} = ${JSON.stringify(manifest, null, 2)}\n`
}
