import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from '../support/tap.js'
import { startGateway } from '../../src/gateway.js'
import { folder, run } from './at-the-terminal.js'

/** A subscriber that answers what it is told to. */
async function subscriber (): Promise<{ port: number, answer: (status: number) => void, close: () => void }> {
  let status = 500
  const server = createServer((request, response) => { request.resume().on('end', () => { response.writeHead(status).end() }) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, answer: code => { status = code }, close: () => { server.close(); server.closeAllConnections() } }
}

t.test('an operator\'s day: every command, against a real gateway', async t => {
  const billing = await subscriber()
  t.teardown(billing.close)
  const dir = folder(t)
  const configFile = join(dir, 'relay.yaml')
  const yaml = (subscribers: string) => `ingest: { listen: "127.0.0.1:0", allowFrom: [192.0.2.1] }\nadmin: { listen: "127.0.0.1:0" }\nredis: { url: "" }\ndataDir: ${join(dir, 'data')}\nlog: { level: silent }\nsubscribers:\n${subscribers}`
  const entry = `  - { name: billing, url: "http://127.0.0.1:${billing.port}/", retry: [1ms] }\n`
  writeFileSync(configFile, yaml(entry))
  const { PATH = '' } = process.env
  const gateway = await startGateway({ configFile, env: { PATH } })
  t.teardown(gateway.stop)

  const place = ['--url', gateway.addresses.admin, '--config', configFile]
  const at = async (line: string) => await run([...line.split(' '), ...place], { env: { PATH } })

  await t.test('send, and the failure is seen by events, show and status', async t => {
    t.match(await at('send --type avatar --task-id mine --subscriber billing'), { code: 0, out: /^accepted evt_/ })
    let listed = await at('events --state failed')
    while (listed.out === '') listed = await at('events --state failed')
    t.match(listed.out, /mine +avatar +1 +test +1 failed/)
    t.match(await at('show mine'), { code: 0, out: /billing +failed +2 +500/ })
    t.match(await at('status'), { code: 0, out: /billing +active +0 +0 +1 +0/ })
    t.match(JSON.parse((await at('status --json')).out), { readiness: { status: /ok|degraded/ }, stats: { counters: { accepted: 1 } }, subscribers: [{ name: 'billing' }] })
  })

  await t.test('replay: counted, failing again, then delivered', async t => {
    t.match(await at('replay --all --dry-run'), { code: 0, out: '1 delivery would be replayed.\n' })
    t.match(await at('replay --subscriber billing --wait 20s'), { code: 1, out: /0 delivered, 1 failed/ })
    billing.answer(204)
    t.match(await at('replay --task-id mine --since 1h --rate 100 --wait 20s'), { code: 0, out: /1 delivered, 0 failed/ })
  })

  await t.test('pause holds, discard gives up, resume lets go', async t => {
    t.equal((await at('pause billing')).code, 0)
    t.equal((await at('send --task-id held')).code, 0)
    t.match(await at('show held'), { out: /billing +held by pause/ })
    t.match(await at('discard --task-id held --yes --wait'), { code: 0, out: '1 delivery discarded.\n' })
    t.match(await at('show held'), { out: /billing +discarded/ })
    t.equal((await at('resume billing')).code, 0)
  })

  await t.test('reload: takes up a change, or lists the faults', async t => {
    writeFileSync(configFile, yaml(entry + '  - { name: media, url: "http://127.0.0.1:1/", enabled: false }\n'))
    t.match(await at('reload'), { code: 0, out: /^Reloaded; changed: .*media/ })
    writeFileSync(configFile, yaml(entry + '  - { name: Media }\n'))
    const { code, err } = await run(['reload', '--url', gateway.addresses.admin, '--token-file', join(dir, 'data', 'admin-token')])
    t.equal(code, 2)
    t.match(err, /subscribers\[1\]\.name is not a subscriber name/)
    writeFileSync(configFile, yaml(entry))
  })

  await t.test('send --to is refused from an address that is not allowed, and says what to do', async t => {
    t.match(await at(`send --to ${gateway.addresses.ingest}${gateway.ingestPath}`), { code: 1, err: /ingest\.allowFrom/ })
  })

  await t.test('what the gateway refuses is bad usage, and names the flag', async t => {
    t.match(await at('events --state faild'), { code: 2, out: '', err: /state takes.*\n.*--state/ })
    t.match(await at('replay --subscriber nobody'), { code: 2, err: /There is no subscriber "nobody"/ })
    t.match(await at('pause nobody'), { code: 1, err: /no subscriber of this name/ })
    t.match(await at('show evt_01JQ4Z8XK3V7M2N9P5R6S8T0WA'), { code: 1, err: /no such event/ })
  })
})
