/**
 * One route of the admin API, as data. The router, the input check, the writer of
 * answers and the OpenAPI document all read the same entry, so they cannot
 * disagree. A field that no schema names is never sent.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { TObject, TSchema } from 'typebox'

/** The meaning of one status for the caller. */
export interface RouteAnswer {
  means: string
  schema?: TSchema
  /** Default `application/json`. */
  contentType?: string
}

export interface Route {
  method: 'GET' | 'POST'
  /** With parameters as `:name`. */
  path: string
  /** One sentence for the reader of the OpenAPI document. */
  does: string
  /** Answers without a token. */
  open?: boolean
  /** The schema of the query; absent: none is accepted. */
  query?: TObject
  /** The schema of the body; absent: none is accepted. */
  body?: TObject
  /** Every status except those of problems. */
  answers: Readonly<Record<number, RouteAnswer>>
  /** Resolves with the value that is sent as JSON, or with the reply if it has sent something else. */
  handle: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>
}

/** The prefix of all routes except open ones. */
export const API = '/api/v1'

/** The value of `:name` in the path, decoded. */
export function pathParameter (request: FastifyRequest, name: string): string {
  return (request.params as Record<string, string>)[name] ?? ''
}
