/**
 * Turns a YAML file into a configuration, or into the list of all its faults.
 *
 * The only importer of `yaml`. Each call reads the file, and every file that it
 * names, again. Changes nothing.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Alias, type Document, type Node, type Pair, type Scalar } from 'yaml'
import type { Config } from './config.js'
import { locate, wholeFileFault, type Fault, type PlacedRefusal } from './fault.js'
import { readSettings } from './read-settings.js'
import { resolveConfig } from './resolve.js'
import { problemsBetween, type Draft } from './rules.js'
import { relaySchema, type Settings } from './schema.js'
import { shapeOf } from './shape.js'
import { readSmallFile } from './small-file.js'
import { isBlank, writtenOf, type Path, type Place, type Written, type WrittenValue } from './written.js'
import { syntaxProblem } from './syntax-problem.js'

/** Finds the place of a later problem in the loaded file. */
export type PlaceFaults = (problems: readonly PlacedRefusal[]) => Fault[]

/** A configuration that may be used, or everything that is wrong: at least one fault. `isEmpty`: nothing stands in the file, so all of it is default. */
export type LoadResult = { config: Config, placeFaults: PlaceFaults, isEmpty: boolean } | { faults: Fault[] }

export interface LoadOptions {
  /** Path of the YAML file. */
  file: string
  /** The variables for `${NAME}`. */
  env: Readonly<Record<string, string | undefined>>
}

/**
 * Loads a configuration.
 *
 * @returns the configuration, or all faults at once, in the order of the file
 * @throws  never
 */
export async function loadConfig ({ file, env }: LoadOptions): Promise<LoadResult> {
  const text = readSmallFile(file)
  if ('problem' in text) {
    return { faults: [wholeFileFault(`the configuration file ${file} ${text.problem}`, text.hint ?? 'copy the shipped config/relay.yaml there, or name another file with --config FILE or RELAY_CONFIG')] }
  }
  const { written, problems } = parse(text.value)
  const placeFaults: PlaceFaults = found => locate(found, written)
  if (problems.some(({ path }) => path.length === 0)) return { faults: placeFaults(problems) }

  const read = readSettings(shapeOf(relaySchema), written, { env, readFile: readSmallFile })
  const all = [...problems, ...read.problems, ...problemsBetween((read.value ?? {}) as Draft<Settings>)]
  if (all.length > 0) return { faults: placeFaults(all) }
  return { config: resolveConfig(read.value as Settings, read.asWritten), placeFaults, isEmpty: isBlank(written) }
}

/** More nodes than any configuration has; an alias counts as often as it is used. */
const MOST_NODES = 20_000
const MOST_DEPTH = 32
/** Finding an anchor walks the file, so an alias counts for many. */
const ALIAS_NODES = 20

interface Parsing {
  document: Document
  placeAt: (node: Node | null) => Place | null
  problems: PlacedRefusal[]
  nodes: number
}

/**
 * Reads YAML.
 *
 * @returns the written configuration, and the YAML problems; a problem with an
 *          empty path means that the rest is not worth reading
 * @throws  never
 */
export function parse (text: string): { written: Written, problems: PlacedRefusal[] } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false })
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  const syntax = [...document.errors, ...document.warnings].map(({ code, pos }) => ({ ...syntaxProblem(code), path: [], place: place(pos[0]) }))
  if (syntax.length > 0) return { written: writtenOf(null), problems: firstOfEachLine(syntax) }
  const placeAt = (node: Node | null): Place | null => node?.range == null ? null : place(node.range[0])
  const parsing: Parsing = { document, placeAt, problems: [], nodes: 0 }
  return { written: writtenAt(parsing, document.contents, []), problems: parsing.problems }
}

/** Other errors in a line are usually caused by its first. */
function firstOfEachLine<P extends { place: Place }> (problems: readonly P[]): P[] {
  return problems.filter(({ place }, at) => problems.findIndex(other => other.place.line === place.line) === at)
}

function writtenAt (parsing: Parsing, node: Node | null, path: Path): Written {
  const place = parsing.placeAt(node)
  parsing.nodes += isAlias(node) ? ALIAS_NODES : 1
  if (parsing.nodes > MOST_NODES || path.length > MOST_DEPTH) return tooMuch(parsing, place)
  if (isAlias(node)) return aliasAt(parsing, node, path)
  if (isMap<Node, Node | null>(node)) return { kind: 'block', place, entries: entriesOf(parsing, node.items, path) }
  if (isSeq<Node>(node)) return { kind: 'list', place, items: node.items.map((item, at) => writtenAt(parsing, item, [...path, at])) }
  return { kind: 'value', place, ...isScalar(node) ? plainValue(node) : { value: null } }
}

function tooMuch (parsing: Parsing, place: Place | null): Written {
  const isFirst = parsing.nodes < Infinity
  const refusal = { problem: 'the file is too large or nested too deeply here', hint: 'an alias (*name) may stand inside its own anchor (&name)' }
  if (isFirst) parsing.problems.push({ path: [], ...refusal, ...(place === null ? {} : { place }) })
  parsing.nodes = Infinity
  return writtenOf(null)
}

/** The node of the anchor, at its own place: a fault in it must be corrected there. */
function aliasAt (parsing: Parsing, alias: Alias, path: Path): Written {
  const target = alias.resolve(parsing.document)
  if (target !== undefined) return writtenAt(parsing, target, path)
  const place = parsing.placeAt(alias)
  parsing.problems.push({ ...syntaxProblem('BAD_ALIAS'), path: [], ...(place === null ? {} : { place }) })
  return writtenOf(null)
}

type Entries = Map<string, { key: Place | null, value: Written }>

function entriesOf (parsing: Parsing, pairs: ReadonlyArray<Pair<Node, Node | null>>, path: Path): Entries {
  const entries: Entries = new Map()
  for (const { key, value } of pairs) {
    const name = isScalar(key) ? String(key.source ?? key.value) : '?'
    const place = parsing.placeAt(key)
    const at = [...path, name]
    const before = entries.get(name)
    if (before !== undefined) {
      const first = before.key === null ? '' : `, first in line ${before.key.line}`
      parsing.problems.push({ path: at, problem: `is there twice${first}`, hint: 'keep one of the two', ...(place === null ? {} : { place }) })
    }
    entries.set(name, { key: place, value: writtenAt(parsing, value, at) })
  }
  return entries
}

function plainValue ({ value, source }: Scalar): Pick<WrittenValue, 'value' | 'digits'> {
  if (typeof value === 'number') return { value, digits: source ?? String(value) }
  return { value: value === null || typeof value === 'boolean' ? value : String(value) }
}
