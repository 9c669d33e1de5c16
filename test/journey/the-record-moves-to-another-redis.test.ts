/**
 * "Move to another Redis" of docs/operations.md, as it is written there: every
 * command of it is run, under load, and nothing acknowledged is lost.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from '../support/tap.js'
import { runCommand } from '../support/command.js'
import { MAIN } from '../support/gateway.js'
import { answerToRepeat, sendOnce, type Sent } from '../support/outage.js'
import { seeSubscriber, setScene, tasksOf, untilNothingIsOpen } from '../support/scene.js'
import { answers } from '../support/subscriber.js'
import { until } from '../support/until.js'

const DOCS = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8')

/** The commands under a heading. */
function commandsUnder (heading: string): string[] {
  const section = DOCS.split(`### ${heading}\n`)[1]!.split(/^#/m)[0]!
  return [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block]) => block!.trim().split('\n'))
}

/** Runs a line of a shell where `fotor-relay` is the built command. */
async function shell (line: string, cwd: string): Promise<{ code: number | null, text: string }> {
  const bin = join(cwd, 'bin')
  mkdirSync(bin, { recursive: true })
  writeFileSync(join(bin, 'fotor-relay'), `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`)
  chmodSync(join(bin, 'fotor-relay'), 0o755)
  const child = spawn('sh', ['-c', line], { cwd, env: { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` }, stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (more: string) => { text += more })
  const [code] = await once(child, 'close') as [number | null]
  return { code, text }
}

t.test('moved as the runbook says, under load: nothing is lost, and what was delivered stays delivered', async t => {
  const scene = setScene(t)
  const redis = await scene.redis()
  const [good, down] = [await scene.subscriber(), await scene.subscriber(answers.status(500))]
  const subscribers = [{ name: 'good', url: good.url }, { name: 'down', url: down.url, retry: ['1h'] }]
  const home = scene.home({ subscribers })
  const gateway = await scene.process(home)

  const sent: Sent[] = []
  for (let n = 0; n < 200; n++) sent.push(await sendOnce(gateway, `before-${n}`))
  await down.waitFor(200)
  await until(async () => (await seeSubscriber(gateway, 'good'))!.counts.open === 0 || undefined)
  const deliveredBefore = new Set(tasksOf(good))

  let sending = true
  const sender = (async () => { for (let n = 0; sending; n++) sent.push(await sendOnce(gateway, `meanwhile-${n}`)) })()
  const commands = commandsUnder('Move to another Redis')
  t.equal(commands.length, 3)
  writeFileSync(join(home.dir, 'new.yaml'), readFileSync(home.configFile, 'utf8') + `redis:\n  url: ${redis.url}\n`)
  for (const command of commands) {
    const { code, text } = await shell(command, home.dir)
    t.equal(code, 0, `${command}\n${text}`)
  }
  sending = false
  await sender
  await gateway.stop()
  cpSync(join(home.dir, 'new.yaml'), home.configFile)
  down.behave(answers.ok)
  const next = await scene.process(home)
  await next.api('POST', '/api/v1/replays', { subscriber: 'down', state: 'retrying' })
  await untilNothingIsOpen(next)

  const acknowledged = sent.filter(({ status }) => typeof status === 'string')
  t.equal(acknowledged.length, sent.length, 'no callback was refused')
  t.ok(sent.filter(({ status }) => status === 'spooled').length > 0)
  for (const subscriber of [good, down]) {
    const got = new Set(tasksOf(subscriber))
    t.strictSame(acknowledged.filter(({ taskId }) => !got.has(taskId)), [], 'everything acknowledged has arrived')
  }
  const counts = new Map<string, number>()
  for (const task of tasksOf(good)) counts.set(task, (counts.get(task) ?? 0) + 1)
  t.strictSame([...deliveredBefore].filter(task => counts.get(task) !== 1), [], 'what was delivered before the move is not delivered again')
  t.equal(await answerToRepeat(next, 'before-0'), 'duplicate')
})

t.test('an export is private, is gone on with, and never overwrites', async t => {
  const scene = setScene(t)
  const subscriber = await scene.subscriber()
  const home = scene.home({ subscribers: [{ name: 'a', url: subscriber.url }] })
  const gateway = await scene.process(home)
  for (let n = 0; n < 30; n++) await sendOnce(gateway, `t${n}`)
  await untilNothingIsOpen(gateway)
  await gateway.stop()

  const file = join(home.dir, 'export.ndjson')
  const words = ['export', file, '--config', home.configFile]
  t.match(await runCommand(words), { code: 0, out: '', err: `30 events, 30 tasks and 0 pauses are in ${file}.\n` }, 'also of a gateway that does not run')
  t.equal(statSync(file).mode & 0o777, 0o600)
  const whole = readFileSync(file, 'utf8')
  t.match(await runCommand(words), { code: 1, err: /already exists: choose another name, or continue .* --resume/ })
  t.match(await runCommand([...words, '--resume']), { code: 1, err: /is already a complete export/ })
  t.equal(readFileSync(file, 'utf8'), whole)

  writeFileSync(file, whole.slice(0, whole.length - 2_000))
  t.match(await runCommand([...words, '--resume']), { code: 0, err: /^30 events \(\d+ of them earlier\), 30 tasks/ })
  const ageless = (text: string): string => text.replace(/"ageMs":\d+/g, '')
  t.equal(ageless(readFileSync(file, 'utf8')), ageless(whole), 'line by line what it would have been')
  writeFileSync(file, whole.slice(0, 300))
  t.match(await runCommand([...words, '--resume']), { code: 0, err: /^30 events, 30 tasks/ }, 'before the first event it begins anew')
  t.match(await runCommand(['export', '-', '--config', home.configFile]), { code: 0, out: /^\{"kind":"header".*\n[\s\S]*"kind":"end".*\n$/ })
  t.match(await runCommand(['export', '-', '--resume', '--config', home.configFile]), { code: 2, err: /--resume needs a file/ })
  t.match(await runCommand(['import', file, '--config', home.configFile]), { code: 1, err: /has 30 events already/ })
  t.match(await runCommand(['import', join(home.dir, 'none'), '--config', home.configFile]), { code: 2, err: /cannot be read/ })
  home.configure({ dataDir: join(home.dir, 'nowhere') })
  t.match(await runCommand(['export', join(home.dir, 'x'), '--config', home.configFile]), { code: 1, err: /there is no .*nowhere: is this the configuration/ })

  home.configure({ redis: { prefix: 'other' } })
  const again = await scene.process(home)
  t.match(await runCommand(['import', file, '--config', home.configFile]), { code: 0, err: '30 events and 30 tasks imported, 0 pauses set.\n' }, 'into a gateway that runs')
  t.equal((await again.api<{ items: unknown[] }>('GET', '/api/v1/events?limit=100')).json.items.length, 30)
})
