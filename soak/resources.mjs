/**
 * Loaded into the gateway: when it is asked (SIGUSR2) it writes down what keeps
 * its event loop alive, beside its configuration.
 */
import { renameSync, writeFileSync } from 'node:fs'

const file = `${process.argv[process.argv.indexOf('--config') + 1]}.resources`
process.on('SIGUSR2', () => {
  const counts = {}
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  writeFileSync(`${file}.new`, JSON.stringify({ counts, rss: process.memoryUsage.rss() }))
  renameSync(`${file}.new`, file)
})
