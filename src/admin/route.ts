/**
 * One entry of the admin API, as data: the router, the check of what comes in,
 * the writing of what goes out and the OpenAPI document all read the same
 * entry, so they cannot disagree. What no schema names is never sent.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { TObject, TSchema } from 'typebox'

/** What one status means for a caller. */
export interface RouteAnswer {
  means: string
  schema?: TSchema
  /** `application/json` when left out. */
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
  /** What may stand in the query; nothing when left out. */
  query?: TObject
  /** What may stand in the body; nothing when left out. */
  body?: TObject
  /** Every status but those of problems. */
  answers: Readonly<Record<number, RouteAnswer>>
  /** Resolves with what is sent as JSON, or with the reply when it has sent something else. */
  handle: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>
}

/** Where all but the open routes begin. */
export const API = '/api/v1'

/** The part of the path that `:name` stands for, decoded. */
export function pathParameter (request: FastifyRequest, name: string): string {
  return (request.params as Record<string, string>)[name] ?? ''
}
