/**
 * Everything that is deployed, looked through once: the manifests, their pods,
 * and the configuration that they carry, loaded by the gateway's own loader.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Config } from '../../../src/config/config.js'
import { loadConfig } from '../../../src/config/load.js'
import { allOf, podsOf, ROOT, type Manifest, type Pods } from './manifests.js'

export interface Deployed {
  manifests: Manifest[]
  pods: Pods[]
  /** As the gateway of this version reads it. */
  config: Config
  configFile: { configMap: string, key: string }
  /** The files that it takes secrets from. */
  secretFiles: string[]
  /** Of the package. */
  version: string
}

/** What breaks a rule, as `Kind/name: …`. */
export type Rule = (deployed: Deployed) => string[]

/** @returns the faults of the configuration, in place of everything, when it has any */
export async function lookThrough (manifests: Manifest[]): Promise<Deployed | { faults: string }> {
  const { configMap, key, text } = configIn(manifests)
  const dir = mkdtempSync(join(tmpdir(), 'relay-kubernetes-'))
  try {
    const loaded = await loadConfig({ file: settle(dir, text), env: {} })
    if ('faults' in loaded) return { faults: `ConfigMap/${configMap}: ${JSON.stringify(loaded.faults)}` }
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
    return { manifests, pods: podsOf(manifests), config: loaded.config, configFile: { configMap, key }, secretFiles: secretFilesIn(text), version }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** The configuration in the one ConfigMap. */
export function configIn (manifests: readonly Manifest[]): { configMap: string, key: string, text: string } {
  const [configMap, ...more] = allOf(manifests, 'ConfigMap')
  const [entry, ...others] = Object.entries(configMap?.data ?? {})
  if (entry === undefined || more.length > 0 || others.length > 0) throw new Error('there is not one ConfigMap with one file')
  return { configMap: configMap!.metadata?.name ?? '', key: entry[0], text: entry[1] }
}

/** The files that `${file:…}` names, comments aside. */
export function secretFilesIn (text: string): string[] {
  return [...text.matchAll(/^[^#\n]*\$\{file:([^}]+)\}/gm)].map(([, file]) => file!)
}

/**
 * Writes the configuration below a directory, and there the files it takes
 * secrets from, each with a secret of its own.
 *
 * @returns the path of the configuration
 */
export function settle (dir: string, text: string): string {
  for (const file of secretFilesIn(text)) writeSecret(dir, file, secretFor(file))
  const configFile = join(dir, 'relay.yaml')
  writeFileSync(configFile, text.replaceAll('${file:/', `\${file:${dir}/`))
  return configFile
}

/** Writes what a key of a Secret would be in a pod, below a directory. */
export function writeSecret (dir: string, file: string, secret: string): void {
  mkdirSync(dirname(join(dir, file)), { recursive: true })
  writeFileSync(join(dir, file), `${secret}\n`)
}

function secretFor (file: string): string {
  const own = `secret-of${file.replaceAll('/', '-')}`
  return file.includes('/subscribers/') ? `whsec_${Buffer.from(own.padEnd(32, '.').slice(0, 32)).toString('base64')}` : own
}
