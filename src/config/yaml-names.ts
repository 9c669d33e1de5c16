/**
 * The names of the configuration as the YAML has them: without the unit at the
 * end, and files under the names of their keys.
 */

/** Those that do not follow from the name. */
const NAMES: Readonly<Record<string, string>> = { ca: 'caFile', cert: 'certFile', key: 'keyFile', maxBytes: 'maxBytes' }

/** `maxBodyBytes` is `maxBody` in the YAML, `cert` is `certFile`, most are themselves. */
export function yamlName (name: string): string {
  return NAMES[name] ?? name.replace(/(?<=[a-z])(Ms|Bytes)$/, '')
}
