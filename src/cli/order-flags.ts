/**
 * What the commands have in common that give orders: they are placed and run
 * in the background, are followed to their end when asked, and can be stopped.
 */
import { InvalidArgumentError, type Command } from 'commander'
import { parseDuration } from '../config/duration.js'
import type { AdminApi } from './admin-api.js'
import type { OrderAnswer, PlacedAnswer } from '../admin/answers.js'
import type { ApiFlags } from './command-line.js'
import { counted } from './counted.js'
import { followOrder } from './follow-order.js'
import { placeOrder } from './place-order.js'
import type { Terminal } from './terminal.js'

export interface OrderFlags extends ApiFlags {
  /** `true`, or at most so many milliseconds. */
  wait?: true | number
  follow?: string
  cancel?: string
  idempotencyKey?: string
  dryRun?: true
  json?: true
}

/** The command's own name, and what its line says at the end. */
export interface OrderWords {
  command: 'replay' | 'discard' | 'release' | 'purge'
  path: string
  /** What is done to deliveries. */
  done: string
  /** What it is done to, when not to deliveries. */
  to?: 'events'
  end: (order: OrderAnswer) => string
}

/** Adds the flags; @param until  what `--wait` waits for */
export function addOrderOptions (command: Command, until: string): Command {
  return command
    .option('--dry-run', 'only count')
    .option('--wait [duration]', `stay until ${until}, at most so long (such as 10m) when you say it`, durationMs)
    .option('--follow <id>', 'stay until an order ends that was given before')
    .option('--cancel <id>', 'stop an order that was given before; what is done stays so')
    .option('--idempotency-key <key>', 'the key of an order whose answer was lost: it is not carried out twice')
    .option('--json', 'print the answer as one JSON document')
}

function durationMs (written: string): number {
  const reading = parseDuration(written)
  if ('value' in reading) return reading.value
  throw new InvalidArgumentError(`It ${reading.problem}: ${reading.hint ?? 'write 10m'}.`)
}

interface Context { flags: OrderFlags, terminal: Terminal, words: OrderWords }

/** Follows or cancels an order that was given before. @returns whether one was named */
export async function handlePlaced (api: () => Promise<AdminApi>, context: Context): Promise<boolean> {
  const { follow, cancel } = context.flags
  if (cancel !== undefined) await cancelOrder(await api(), cancel, context)
  else if (follow !== undefined) await finish(await api(), follow, context)
  return cancel !== undefined || follow !== undefined
}

/** Gives an order, and says what to do next; or only counts. */
export async function giveOrder (api: AdminApi, order: object, context: Context): Promise<void> {
  const { flags, terminal, words } = context
  if (flags.dryRun === true) return await tellCount(api, order, context)
  const { id, matched } = await placeOrder(api, { path: words.path, order, key: flags.idempotencyKey })
  if (flags.wait !== undefined) {
    terminal.error(`${id!} runs; it continues when you leave with Ctrl-C.`)
    return await finish(api, id!, context)
  }
  if (flags.json === true) return terminal.json({ id, matched })
  terminal.out(`${id!}: taken, and runs in the background.`)
  terminal.error(`See how far it is with: ${api.command(`${words.command} --follow ${id!}`)}`)
  terminal.error(`Stop it with: ${api.command(`${words.command} --cancel ${id!}`)}`)
}

async function tellCount (api: AdminApi, order: object, { flags, terminal, words }: Context): Promise<void> {
  const answer = await countFirst(api, words.path, order)
  if (flags.json === true) terminal.json(answer)
  else terminal.out(`${countedSoFar(answer, words)} would be ${words.done}.`)
}

/** Asks what an order means, and orders nothing. */
export async function countFirst (api: AdminApi, path: string, order: object): Promise<PlacedAnswer> {
  return await api.count<PlacedAnswer>(path, { ...order, dryRun: true })
}

/** `3 deliveries`, `at least 10000 deliveries`. */
export function countedSoFar ({ matched, atLeast = false }: PlacedAnswer, { to }: Pick<OrderWords, 'to'>): string {
  return `${atLeast ? 'at least ' : ''}${to === 'events' ? counted(matched ?? 0, 'event') : deliveries(matched ?? 0)}`
}

async function finish (api: AdminApi, id: string, { flags, terminal, words }: Context): Promise<void> {
  const atMostMs = typeof flags.wait === 'number' ? flags.wait : Infinity
  const { order, failure } = await followOrder(api, id, { progress: terminal.progress(), atMostMs })
  if (flags.json === true) terminal.json(order)
  else terminal.out(words.end(order))
  if (failure !== null) throw failure
}

const deliveries = (count: number): string => counted(count, 'delivery', 'deliveries')

/** What was done by an order that is stopped stays so. */
const STAYS: Readonly<Record<OrderAnswer['kind'], (order: OrderAnswer) => string>> = {
  replay: ({ queued, matched }) => `${matched === null ? deliveries(queued) : `${queued} of ${deliveries(matched)}`} were put back and stay in their queues`,
  discard: ({ discarded }) => `${deliveries(discarded)} ${discarded === 1 ? 'was discarded and stays' : 'were discarded and stay'} so`,
  release: ({ queued }) => `${deliveries(queued)} ${queued === 1 ? 'was released and stays in its queue' : 'were released and stay in their queues'}`,
  purge: ({ purged }) => `${counted(purged, 'event')} ${purged === 1 ? 'is' : 'are'} deleted for good`
}

async function cancelOrder (api: AdminApi, id: string, { flags, terminal }: Context): Promise<void> {
  const order = await api.post<OrderAnswer>(`/replays/${encodeURIComponent(id)}/cancel`)
  if (flags.json === true) return terminal.json(order)
  terminal.out(`${order.id} is ${order.state}: ${STAYS[order.kind](order)}.`)
}
