/**
 * `npm run bench`: measures the gateway and its ceilings on this machine,
 * shows a table, and writes a JSON. Progress goes to standard error, the table
 * to standard output. Ends with 1 when a measure failed or a ratio has fallen
 * far (`--smoke`), 2 for bad usage, 130 when interrupted; leaves no process and
 * no data behind.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readOptions, USAGE, type BenchOptions } from './options.js'
import { comparisonOf } from './report/compare.js'
import { readDocument, type BenchDocument } from './report/document.js'
import { tableOf } from './report/table.js'
import { runBench } from './run.js'
import { judge, readBaseline, writeBaseline } from './smoke.js'
import { MAIN } from './stage/gateway.js'
import { openStage } from './stage/stage.js'

async function main (): Promise<number> {
  let options: BenchOptions
  let before: BenchDocument | null
  try {
    options = readOptions(process.argv.slice(2))
    if (options.help) {
      process.stdout.write(USAGE)
      return 0
    }
    before = options.compareWith === null ? null : readDocument(options.compareWith)
    if (!existsSync(MAIN)) throw new Error('dist/ is not there: npm run build')
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`)
    return 2
  }
  return await measure(options, before)
}

async function measure (options: BenchOptions, before: BenchDocument | null): Promise<number> {
  const root = openStage()
  // A reader that went away, as `| head` does, must not keep anything from being stopped.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const interrupt = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => { interrupt.abort() })
  try {
    const bench = async (): Promise<BenchDocument> =>
      await runBench({ ...options, root, signal: interrupt.signal, say (text) { process.stderr.write(`${text}\n`) } })
    const { document, fallen } = options.baseline === 'compare'
      ? await judge(readBaseline(), bench)
      : { document: await bench(), fallen: [] }
    const out = options.out ?? join(options.base, `${document.startedAt.replaceAll(':', '-')}.json`)
    mkdirSync(dirname(out), { recursive: true })
    writeFileSync(out, JSON.stringify(document, null, 2) + '\n')
    process.stdout.write(tableOf(document))
    if (before !== null) process.stdout.write(`\n${comparisonOf(before, document)}`)
    process.stderr.write(`written: ${out}\n`)
    if (options.baseline === 'write') writeBaseline(document)
    for (const sentence of fallen) process.stderr.write(`slower than it was: ${sentence}\n`)
    return Object.keys(document.failures).length + fallen.length === 0 ? 0 : 1
  } catch (error) {
    if (!interrupt.signal.aborted) throw error
    process.stderr.write('interrupted: stopping what was started\n')
    return 130
  } finally {
    await root.close()
  }
}

process.exitCode = await main()
