/**
 * Runs what a build has made, or says how to make it.
 *
 *   node build/run.mjs FILE [WORD…]      FILE is relative to where npm runs it: the root of this project
 *
 * `npm ci` builds by itself, unless npm is told to run no scripts
 * (`ignore-scripts`); then nothing is there, and a stack trace helps nobody.
 * The program runs in this process: its signals and its exit code are its own.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const [, , place, ...words] = process.argv
const file = resolve(place)

/** Ends with a sentence and the code for what somebody must do first. */
function stop (sentence) {
  console.error(sentence)
  process.exitCode = 2
}

if (!existsSync(file)) {
  const build = place.startsWith('.compiled/') ? 'node build/setup.cjs --tests' : 'npm run build'
  stop(`${place} is not built: run ${build}, then this again (npm runs no scripts here, or the last build was removed)`)
} else {
  process.argv = [process.execPath, file, ...words]
  await import(pathToFileURL(file).href).catch(error => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || existsSync('node_modules')) throw error
    stop('its packages are not installed: run npm ci, then this again')
  })
}
