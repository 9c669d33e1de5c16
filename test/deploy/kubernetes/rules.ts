/**
 * What must hold between the manifests, and between them and the configuration
 * that they carry: everything that Kubernetes itself would take without a
 * word, and that would not work, or not be safe.
 */
import { lookThrough, type Rule } from './deployed.js'
import { growthRules } from './growth-rules.js'
import type { Manifest } from './manifests.js'
import { gatewayRules, podRules } from './pod-rules.js'
import { reloadRules } from './reload-rules.js'
import { wayRules } from './way-rules.js'

const RULES: Rule[] = [...podRules, ...gatewayRules, ...wayRules, ...growthRules, ...reloadRules, noSecretIsApplied]

/** Everything that does not hold. */
export async function problemsIn (manifests: Manifest[]): Promise<string[]> {
  const deployed = await lookThrough(manifests)
  return 'faults' in deployed ? [deployed.faults] : RULES.flatMap(rule => rule(deployed))
}

function noSecretIsApplied ({ manifests }: { manifests: Manifest[] }): string[] {
  return manifests.some(({ kind }) => (kind as string) === 'Secret') ? ['Secret: an apply would put it in the place of the real one'] : []
}
