/**
 * What `npm ci` and `npm install` run at their end: builds dist/ where there is
 * something to build from and with. Does nothing and succeeds in an install
 * without esbuild (`--omit=dev`), in a package without src/, and under
 * build/setup, which builds by itself and explains what fails.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const has = place => existsSync(fileURLToPath(new URL(`../${place}`, import.meta.url)))

if (process.env.RELAY_SETUP === undefined && has('src') && has('node_modules/esbuild')) {
  const { compile, BuildError } = await import('./compile.mjs')
  await compile({ isTest: false }).catch(error => {
    if (!(error instanceof BuildError)) throw error
    console.error(error.message)
    process.exitCode = 1
  })
}
