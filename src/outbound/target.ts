/**
 * A URL in its parts for the HTTP client: where to connect, what to request, and
 * its credentials. Pure.
 */
import { RelayError } from '../model/errors.js'
import { maskUrl, type Subscriber } from '../model/subscriber.js'

export interface Target {
  /** `http://host:port`, without credentials. */
  origin: string
  /** With the query, as on the request line. */
  path: string
  /** `Basic …` if the URL has credentials, else `null`. */
  authorization: string | null
  /**
   * The parts that must not be shown, in every form in which an answer may contain them: credentials,
   * query values, and the segments of the path if any part of the URL came from `${…}`.
   */
  secrets: string[]
}

/**
 * @param subscriber  its `url` is absolute, http or https; its name is for the error
 * @throws            RelayError CONFIG_INVALID, without the URL: it may hold secrets
 */
export function targetOf ({ name, url, shownUrl }: Pick<Subscriber, 'name' | 'url' | 'shownUrl'>): Target {
  const parsed = URL.canParse(url) ? new URL(url) : null
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    throw new RelayError('CONFIG_INVALID', `The url of subscriber ${name} is not an http or https URL: correct it and reload.`)
  }
  const authorization = basicOf(parsed)
  return {
    origin: parsed.origin,
    path: parsed.pathname + parsed.search,
    authorization,
    secrets: [...secretsOf(parsed, authorization), ...shownUrl === maskUrl(url) ? [] : segmentsOf(parsed)]
  }
}

function secretsOf ({ password, search, searchParams }: URL, authorization: string | null): string[] {
  const raw = search.slice(1).split('&').map(pair => pair.slice(pair.indexOf('=') + 1))
  const credentials = authorization === null ? [] : [password, decoded(password), authorization, authorization.slice(6)]
  return [...credentials, ...raw, ...searchParams.values()]
}

/** Which segments came from `${…}` is unknown; a short one is no secret (see `excerptOf`). */
function segmentsOf ({ pathname }: URL): string[] {
  return pathname.split('/').flatMap(segment => [segment, decoded(segment)])
}

function basicOf ({ username, password }: URL): string | null {
  if (username === '' && password === '') return null
  return 'Basic ' + Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')
}

/** Percent-decoded; an invalid `%` stays as it is. */
function decoded (part: string): string {
  try { return decodeURIComponent(part) } catch { return part }
}
