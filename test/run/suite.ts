/**
 * A suite: one process that runs test files one after another, each as a test
 * of its own, and says at its end what that cost. Started by run-suite.ts, by the
 * environment, for tap names the folders that tests make after the arguments:
 *
 *   SUITE_FILES='test/record/sweep.test.ts …' node .compiled/test/run/suite.js
 */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { registerOn } from '../support/tap.js'
import { cpuSecondsOf } from './cpu.js'
import { hardLimitOf } from './suites.js'

const files = process.env['SUITE_FILES']!.split(' ')

for (const file of files) {
  const limitMs = hardLimitOf(file)
  t.test(file, { timeout: 0 }, async test => {
    registerOn(test, limitMs)
    await import(pathToFileURL(resolve('.compiled', file.replace(/\.ts$/, '.js'))).href)
  })
}

process.once('exit', () => { process.stdout.write(`# cpu=${cpuSecondsOf(process.pid).toFixed(2)}\n`) })
