/**
 * The names of the configuration in the YAML: without the unit at the end, and
 * files under the names of their keys.
 */

/** Names that do not follow the rule. */
const NAMES: Readonly<Record<string, string>> = { ca: 'caFile', cert: 'certFile', key: 'keyFile', maxBytes: 'maxBytes' }

/** `maxBodyBytes` is `maxBody` in the YAML, `cert` is `certFile`, most stay the same. */
export function yamlName (name: string): string {
  return NAMES[name] ?? name.replace(/(?<=[a-z])(Ms|Bytes)$/, '')
}
