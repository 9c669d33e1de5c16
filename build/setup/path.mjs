/** Programs, as a shell would find them. */
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** @param name  a name to look for on PATH, or a path */
export function isOnPath (name) {
  if (name.includes('/')) return isProgram(name)
  return (process.env.PATH ?? '').split(delimiter).some(folder => folder !== '' && isProgram(join(folder, name)))
}

function isProgram (file) {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch { return false }
}
