/** How a subscriber treats a request while something is wrong with it. */
import { TLSSocket } from 'node:tls'
import { answers, type Behaviour } from '../test/support/subscriber.js'

export interface Conduct {
  does: Behaviour
  /** It has the event, whatever the gateway makes of the answer. */
  takes: boolean
  /** The gateway gets an answer that is whole, and in time. */
  answers: boolean
}

/** More than any run takes, seconds. */
const HOURS = '7200'
/** Later than the gateway waits, milliseconds. */
const LATE_MS = 1_500
const DRIP_EVERY_MS = 50
const OK = 'HTTP/1.1 200 OK\r\n'

export const WELL: Conduct = { does: answers.ok, takes: true, answers: true }

const saying = (does: Behaviour): Conduct => ({ does, takes: false, answers: true })
const refusing = (does: Behaviour): Conduct => ({ does, takes: false, answers: false })
const taking = (does: Behaviour): Conduct => ({ does, takes: true, answers: false })

/** By the name of its fault. */
export const CONDUCTS = {
  /** Of TLS, a close without a word. */
  reset: refusing((_response, _received, { socket }) => { socket instanceof TLSSocket ? socket.destroy() : socket.resetAndDestroy() }),
  hang: refusing(answers.hang),
  error: saying(answers.status(500)),
  busy: saying(answers.status(429, { 'retry-after': '1' })),
  'long-rest': saying(answers.status(503, { 'retry-after': HOURS })),
  garbage: refusing((_response, _received, { socket }) => { socket.end('this is no HTTP\r\n\r\n') }),
  /** Announces more than it sends. */
  short: refusing((_response, _received, { socket }) => { socket.end(`${OK}content-length: 100\r\n\r\nhalf`) }),
  /** A header, byte by byte. */
  drip: refusing((_response, _received, { socket }) => {
    socket.write(`${OK}x-slow: `)
    const timer = setInterval(() => { socket.write('a') }, DRIP_EVERY_MS)
    socket.once('close', () => { clearInterval(timer) })
  }),
  late: taking(response => { setTimeout(() => { response.writeHead(204).end() }, LATE_MS) }),
  /** A body for as long as anybody reads. */
  endless: taking((_response, _received, { socket }) => {
    const chunk = 'a'.repeat(4096)
    const write = (): void => { while (!socket.destroyed && socket.write(chunk)); }
    socket.on('drain', write)
    socket.write(`${OK}content-length: 99999999999\r\n\r\n`)
    write()
  }),
  /** 103 first, and a 204 with a body. */
  odd: taking((response, _received, { socket }) => {
    response.writeEarlyHints({ link: '</a>' })
    response.writeHead(204).end(() => { socket.end('hello') })
  }),
  /** Says that it keeps the connection, and does not. */
  'hang-up': taking((response, _received, { socket }) => { response.writeHead(204).end(() => { socket.destroy() }) })
} as const
