/**
 * The parent's side of the bench's own processes: starts one, gives it orders,
 * waits for the answers. A child that ends fails every order under way, so
 * nothing waits for ever.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { programAt } from '../../test/support/program.js'

/** What a child can be told; each order takes one object and answers with another. */
export type Orders = Record<string, (what: never) => Promise<unknown>>

/** What an order is answered with. */
export type AnswerTo<F> = F extends (what: never) => Promise<infer Answer> ? Answer : never

export interface Child<O extends Orders> {
  pid: number
  /** Gives an order. Rejects with the child's own error, or when it ends. */
  ask<K extends keyof O & string> (order: K, what: Parameters<O[K]>[0]): Promise<AnswerTo<O[K]>>
  stop (): Promise<void>
}

/** What goes over the channel, one way and the other. */
export interface Asked { number: number, order: string, what: unknown }
export interface Answered { number: number, answer?: unknown, error?: string }

interface Waiting { resolve: (answer: never) => void, reject: (error: Error) => void }

/**
 * Starts a child.
 *
 * @param file  beside this one, without its extension: `load`
 */
export function startChild<O extends Orders> (file: string): Child<O> {
  const child = fork(programAt(import.meta.url, `./${file}.ts`), { env: { ...process.env, NODE_ENV: 'production' }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const waiting = new Map<number, Waiting>()
  let number = 0
  let ended = false

  child.on('message', ({ number, answer, error }: Answered) => {
    const order = waiting.get(number)
    waiting.delete(number)
    if (error === undefined) order?.resolve(answer as never)
    else order?.reject(new Error(`${file}: ${error}`))
  })
  child.once('exit', (code, signal) => {
    ended = true
    for (const { reject } of waiting.values()) reject(new Error(`the ${file} process ended (${signal ?? code})`))
  })

  return {
    pid: child.pid!,
    async ask (order, what) {
      if (ended) throw new Error(`the ${file} process has ended`)
      return await new Promise((resolve, reject) => {
        number++
        waiting.set(number, { resolve, reject })
        child.send({ number, order, what } satisfies Asked)
      })
    },
    async stop () {
      if (ended) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  }
}
