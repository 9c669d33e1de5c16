/**
 * One keep-alive HTTP/1.1 connection that posts, as cheaply as Node can: the
 * generator must cost far less than what it measures. Knows just enough of
 * HTTP for the answers of Fastify: a status, a content-length, a body.
 */
import { connect, type Socket } from 'node:net'

export interface Reply {
  status: number
  body: string
  /** The server takes no more requests on this connection; the next one opens another. */
  closes: boolean
}

interface Waiting { resolve: (reply: Reply) => void, reject: (error: Error) => void }

export interface Wire {
  /** Posts JSON and waits for the answer; one request at a time. */
  post (body: string): Promise<Reply>
  close (): void
}

/** Where requests go. */
export interface Place { port: number, path: string }

/** Opens a connection to this machine. */
export async function openWire ({ port, path }: Place): Promise<Wire> {
  const head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: `
  let waiting: Waiting | null = null
  let received = ''

  let socket = await dial()

  async function dial (): Promise<Socket> {
    const opened = await connected(port)
    opened.setEncoding('latin1')
    opened.on('data', (text: string) => {
      received += text
      const reply = readReply(received)
      if (reply === null || waiting === null) return
      received = ''
      const { resolve } = waiting
      waiting = null
      if (reply.closes) opened.destroy()
      resolve(reply)
    })
    opened.on('error', () => {})
    opened.on('close', () => { if (opened === socket) waiting?.reject(new Error('the server closed the connection')) })
    return opened
  }

  return {
    async post (body) {
      if (socket.destroyed) socket = await dial()
      return await new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        socket.write(`${head}${body.length}\r\n\r\n${body}`, 'latin1')
      })
    },
    close () { socket.destroy() }
  }
}

async function connected (port: number): Promise<Socket> {
  return await new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => { resolve(socket) })
    socket.once('error', reject)
  })
}

function readReply (text: string): Reply | null {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return null
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1] ?? 0)
  const body = text.slice(end + 4)
  if (body.length < length) return null
  return { status: Number(text.slice(9, 12)), body, closes: /\r\nconnection: close/i.test(text.slice(0, end)) }
}
