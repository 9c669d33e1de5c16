/**
 * Which requests of a connection still wait for their answer, so that nothing
 * that comes after them on it takes their answers away: what was accepted is
 * answered 200, or its sender gives up on it.
 */
import type { IncomingMessage, RequestListener } from 'node:http'
import type { Socket } from 'node:net'

/** How long a client may take to read the last that it is sent, milliseconds. */
const LAST_WORD_MS = 1_000

export interface Unanswered {
  /** Makes a handler that keeps count of its requests. */
  watch: (handler: RequestListener) => RequestListener
  /**
   * Ends a connection. When requests that came whole wait on it, they are
   * answered first, and nothing else is.
   *
   * @param lastWord  written before the end, but only where nothing was yet: later, it could be taken for the answer to a request
   */
  end: (socket: Socket, lastWord?: string) => void
  /** Whether {@link end} was called for it: what still comes on it is of no interest. */
  isEnding: (socket: Socket) => boolean
}

/** Begins to keep count. */
export function watchUnanswered (): Unanswered {
  const waiting = new WeakMap<Socket, Set<IncomingMessage>>()
  const ending = new WeakSet<Socket>()

  /** One that broke off is not answered, but its connection ended. */
  function isWaitedOn (socket: Socket): boolean {
    return [...waiting.get(socket) ?? []].some(({ complete }) => complete)
  }
  return {
    watch: handler => (request, response) => {
      const { socket } = request
      const others = waiting.get(socket) ?? new Set()
      waiting.set(socket, others.add(request))
      response.once('close', () => {
        others.delete(request)
        if (ending.has(socket) && !isWaitedOn(socket)) linger(socket)
      })
      handler(request, response)
    },
    end (socket, lastWord = '') {
      ending.add(socket)
      if (isWaitedOn(socket)) return
      if (socket.writable && socket.bytesWritten === 0) socket.write(lastWord)
      socket.destroySoon()
      destroyShortly(socket)
    },
    isEnding: socket => ending.has(socket)
  }
}

/** Ends our half: bytes that still come must not make the network throw away what was written. */
function linger (socket: Socket): void {
  socket.end()
  destroyShortly(socket)
}

/** A client that does not read, or whose TLS handshake never ends, must not keep its connection. */
function destroyShortly (socket: Socket): void {
  const timer = setTimeout(() => { socket.destroy() }, LAST_WORD_MS)
  socket.once('close', () => { clearTimeout(timer) })
}
