/**
 * The names of the configuration as the YAML has them: without the unit at the
 * end, and files under the names of their keys.
 */

const FILES: Readonly<Record<string, string>> = { ca: 'caFile', cert: 'certFile', key: 'keyFile' }

/** `maxBodyBytes` is `maxBody` in the YAML, `cert` is `certFile`, most are themselves. */
export function yamlName (name: string): string {
  return FILES[name] ?? name.replace(/(?<=[a-z])(Ms|Bytes)$/, '')
}
