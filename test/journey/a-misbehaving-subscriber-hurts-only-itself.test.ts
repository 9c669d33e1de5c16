/**
 * Every way we know in which a subscriber can misbehave, all at the same time,
 * through the running gateway: what is on record afterwards, what became of
 * the delivery, that no secret is shown, and that another subscriber did not
 * notice.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from '../support/tap.js'
import { CA, place, ROWS, SECRETS, SHORT_MS, type Means, type Row } from '../outbound/misbehaviour.js'
import { makeHome, startInProcess, type Settings } from '../support/gateway.js'
import { accept, seeEvent, untilNothingIsOpen } from '../support/scene.js'
import { startSubscriber } from '../support/subscriber.js'

/** For the rows that run into it: long enough for a busy machine. */
const TIMEOUT_MS = 2_000
const EVENTS = 3
const PROBES = 100

const home = makeHome()
const caFile = join(home.dir, 'ca.pem')
writeFileSync(caFile, CA)
const good = await startSubscriber()
const places = await Promise.all(ROWS.map(async row => await place(t, row)))

/** The row's subscriber gets the events whose type is its name. */
function entryOf (row: Row, at: number): Settings {
  const url = `${places[at]!.url}/hook?key=${SECRETS.query}`
  return {
    name: `row-${at}`,
    url,
    match: { types: [`row-${at}`] },
    headers: { Authorization: `Bearer ${SECRETS.header}` },
    retry: ['10ms'],
    timeout: row.slow === true ? `${TIMEOUT_MS}ms` : '30s',
    concurrency: 2,
    ...url.startsWith('https') ? { tls: { caFile } } : {}
  }
}

/** What an operator is shown of the attempt, and what the log calls it. */
function shownOf (means: Means): { statusCode: number | null, error: string | RegExp | null, reason: string, delivered: boolean } {
  if ('failure' in means) {
    const error = typeof means.error === 'string' ? means.error.replace(`${SHORT_MS} ms`, `${TIMEOUT_MS} ms`) : means.error
    return { statusCode: null, error, reason: means.failure, delivered: false }
  }
  const { status } = means
  const delivered = status >= 200 && status < 300
  return { statusCode: status, error: delivered ? null : new RegExp(`^answered ${status}`), reason: status >= 500 && status < 600 ? 'server-error' : 'rejected', delivered }
}

home.configure({
  ingest: { maxBody: '64mb' },
  subscribers: [{ name: 'good', url: good.url, match: { types: ['probe'] } }, ...ROWS.map(entryOf)]
})
const gateway = await startInProcess(home)
t.teardown(async () => {
  await gateway.stop()
  await good.close()
  home.remove()
})

let probes = 0
/** Events for the good subscriber, each sent when the one before has arrived. */
async function probe (): Promise<void> {
  for (let n = 0; n < PROBES; n++) {
    const taskId = `probe-${++probes}`
    await accept(gateway, { taskId, type: 'probe' })
    await good.waitUntil(all => all.some(({ headers }) => headers['relay-task-id'] === taskId))
  }
}

/** Events for the subscriber of a row, one after the other: some are large. */
async function give ({ size }: Row, at: number): Promise<string[]> {
  const ids: string[] = []
  for (let n = 0; n < (size === undefined ? EVENTS : 1); n++) {
    ids.push(await accept(gateway, { taskId: `task-${at}-${n}`, type: `row-${at}`, filler: 'a'.repeat(size ?? 0) }))
  }
  return ids
}

t.test('the others do not notice', async t => {
  const ids: string[][] = []
  for (const [at, row] of ROWS.entries()) ids.push(await give(row, at))
  await probe()
  t.equal(good.received.length, probes, 'each arrived once')
  await untilNothingIsOpen(gateway)

  for (const [at, row] of ROWS.entries()) {
    await t.test(`one who ${row.says}`, async t => {
      const { statusCode, error, reason, delivered } = shownOf(row.means)
      for (const id of ids[at]!) {
        const { deliveries, attempts } = await seeEvent(gateway, id)
        t.match(deliveries, [{ state: delivered ? 'delivered' : 'failed', attempts: delivered ? 1 : 2, lastStatusCode: statusCode, lastError: error }])
        t.match(attempts.map(({ number }) => number), delivered ? [1] : [1, 2])
        for (const attempt of attempts) t.match(attempt, { statusCode, error })
        const told = gateway.log.filter(({ eventId }) => eventId === id)
        t.match(told.filter(({ msg }) => msg === 'delivery.retrying').map(line => line['reason']), delivered ? [] : [reason])
        const shown = JSON.stringify([deliveries, attempts, told])
        for (const secret of Object.values(SECRETS)) t.notOk(shown.includes(secret), secret)
      }
    })
  }
})

t.test('a gateway that stops leaves no connection to any of them', async () => {
  await gateway.stop()
  for (const { server } of places) await server?.quiet()
})
