/** The steps, in order. Each says nothing when there is nothing to do, and ends all by a Stop when it cannot go on. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPackages } from './packages.mjs'
import { installPrograms } from './programs.mjs'
import { Stop, FAILED, say, stopForFile } from './stop.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const isForTests = process.argv.includes('--tests')

try {
  // A package as it is published has its dist/ and nothing to build from.
  const isClone = existsSync(join(ROOT, 'src')) || !existsSync(join(ROOT, 'dist'))
  if (isClone) {
    await installPackages(ROOT)
    await build()
  }
  await installPrograms(isForTests ? ['redis', 'openssl'] : ['redis'])
} catch (error) {
  const stop = error instanceof Stop ? error : stopForFile(error.code, error.path ?? ROOT)
  if (stop === undefined) throw error
  say(stop.message)
  process.exitCode = stop.code
}

async function build () {
  const { compile, BuildError } = await import('../compile.mjs')
  try {
    await compile({ isTest: false })
    if (isForTests) await compile({ isTest: true })
  } catch (error) {
    throw error instanceof BuildError ? new Stop(`it does not build:\n${error.message}`, FAILED) : error
  }
}
