/** The steps, in order. Each says nothing when there is nothing to do, and ends all by a Stop when it cannot go on. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { installPackages } from './packages.mjs'
import { installPrograms } from './programs.mjs'
import { Stop, FAILED, say, stopForFile } from './stop.mjs'

const ROOT = resolve(import.meta.dirname, '../..')
const isForTests = process.argv.includes('--tests')

try {
  // A package as it is published has its dist/ and nothing to build from.
  if (existsSync(join(ROOT, 'src'))) {
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
