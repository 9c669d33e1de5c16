/**
 * The README is true: every command in it is run here, in its order. A command
 * without a row in the table fails, so the README cannot grow an untested one.
 * What the documents show and link to is there.
 */
import { execFile, type ExecFileException } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from '../support/tap.js'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load.js'
import { MAIN, makeHome, startInProcess } from '../support/gateway.js'
import { answers, startSubscriber } from '../support/subscriber.js'
import { until } from '../support/until.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
const SCRIPTS = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }).scripts

function blocks (language: string): string[] {
  return [...README.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].filter(([, of]) => of === language).map(([, , text]) => text!)
}

const commands = blocks('sh').flatMap(block => block.split('\n')).map(line => line.replace(/#.*/, '').trim()).filter(line => line !== '')

/** Runs the built command; resolves with its exit code and output. */
async function fotorRelay (args: string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: number, output: string }> {
  return await new Promise(resolve => {
    execFile(process.execPath, [MAIN, ...args], { cwd: ROOT, env: { ...process.env, ...env } }, (error: ExecFileException | null, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, output: stdout + stderr })
    })
  })
}

/** Run by somebody else: what runs this test. */
const RUN_BY_CI: Record<string, string> = {
  'npm run test:journey': 'part of npm run test:all',
  'npm run test:endurance': 'part of npm run test:all',
  'npm run test:all': '.ci/run',
  'npm test': '.ci/run, which begins with the same set-up; test/build tries that on machines that have nothing'
}

t.test('every command in the README is run by a test', async t => {
  const subscriber = await startSubscriber(answers.status(500))
  const home = makeHome({ subscribers: [{ name: 'billing', url: subscriber.url, retry: { attempts: 1, initial: '1s', factor: 1, max: '1s' } }] })
  const gateway = await startInProcess(home)
  t.teardown(async () => {
    await gateway.stop()
    await subscriber.close()
    home.remove()
  })
  const env = { RELAY_ADMIN_URL: gateway.adminUrl, RELAY_ADMIN_TOKEN: readFileSync(join(home.dir, 'data/admin-token'), 'utf8').trim() }
  await gateway.post(readFileSync(new URL('../samples/avatar.json', import.meta.url)))
  await until(async () => {
    const { json } = await gateway.api<{ items: Array<{ counts: { failed: number } }> }>('GET', '/api/v1/subscribers')
    return json.items[0]!.counts.failed === 1 || undefined
  })
  subscriber.behave(answers.ok)

  for (const command of commands) {
    await t.test(command, async t => {
      if (command in RUN_BY_CI) {
        t.pass(String(RUN_BY_CI[command]))
      } else if (command === 'npm start' || command === 'npm run demo') {
        const script = command.split(' ').at(-1)!
        t.equal(SCRIPTS[script], `exec node build/run.mjs dist/main.js ${script}`, 'test/cli runs these two to their end')
        t.equal(SCRIPTS[`pre${script}`], script === 'demo' ? 'node build/setup.cjs' : undefined, 'test/build runs what comes before')
      } else if (command === 'npx fotor-relay export backup.ndjson') {
        const { code, output } = await fotorRelay(['export', join(home.dir, 'backup.ndjson'), '--config', home.configFile])
        t.equal(code, 0, output)
      } else if (command === 'npx fotor-relay doctor') {
        const { output } = await fotorRelay(['doctor', '--config', home.configFile])
        t.match(output, /Redis|redis/, 'it looks at this machine, whatever it finds')
      } else {
        t.match(command, /^npx fotor-relay /, 'has a row here')
        const args = command.split(' ').slice(2).map(word => word.replaceAll('"', ''))
        const { code, output } = await fotorRelay(args, env)
        t.equal(code, 0, output)
      }
    })
  }
})

t.test('the configuration in the README loads', async t => {
  const home = makeHome()
  t.teardown(() => { home.remove() })
  const [example] = blocks('yaml')
  const secret = join(home.dir, 'billing')
  home.configure({ ...parse(example!.replaceAll('/run/secrets/billing', secret)) as object })
  const { writeFile } = await import('node:fs/promises')
  await writeFile(secret, 'a-token\n')
  const loaded = await loadConfig({ file: home.configFile, env: { BILLING_WEBHOOK_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' } })
  t.match(loaded, { config: { subscribers: [{ name: 'billing' }] } })
})

t.test('the tree in docs/development.md is the tree there is', async t => {
  const page = readFileSync(join(ROOT, 'docs/development.md'), 'utf8')
  const [, shown] = /^```\nsrc\/\n([\s\S]*?)^```$/m.exec(page)!
  const named = [...shown!.matchAll(/(?:^|\s)([a-z]+\/|[a-z]+\.ts)(?=\s)/g)].map(([, name]) => name!.replace('/', ''))
  const there = readdirSync(join(ROOT, 'src'))
  t.strictSame(there.filter(name => !named.includes(name)), [], 'nothing is left out')
  t.strictSame(named.filter(name => !there.includes(name)), [], 'nothing is invented')
})

t.test('what docs/development.md says to change is there', async t => {
  const page = readFileSync(join(ROOT, 'docs/development.md'), 'utf8')
  const named = [...page.matchAll(/`((?:src|test|config|docs|build|eslint-rules|deploy|bench)\/[\w./-]*)`/g)].map(([, path]) => path!)
  t.ok(named.length > 20)
  t.strictSame(named.filter(path => !existsSync(join(ROOT, path))), [])
})

t.test('the README is read in one go: at most 120 lines', async t => {
  t.ok(README.trimEnd().split('\n').length <= 120)
})

t.test('what the README and the documents link to exists', async t => {
  const pages = [
    'README.md', 'CONTRIBUTING.md', 'docs/development.md', 'docs/operations.md', 'docs/scaling.md', 'docs/kubernetes.md', 'docs/performance.md',
    'docs/adr/README.md', 'CHANGELOG.md'
  ]
  for (const page of pages) {
    const text = readFileSync(join(ROOT, page), 'utf8')
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      t.ok(existsSync(join(ROOT, page, '..', target!)), `${page}: ${target}`)
    }
  }
})
