/** Records in the names of the Elastic Common Schema. What it has no name for keeps ours, under `lintel`. */

/** https://www.elastic.co/docs/reference/ecs */
export const ECS_VERSION = '8.17.0'

type Json = Record<string, unknown>

interface Entry {
  /** Name in docs/fields.md. */
  readonly from: string
  readonly to: string
  /** What becomes of its value; the same in a word, for ecs-line.ts. */
  readonly as?: (value: unknown) => unknown
  readonly change?: TextChange
}

export type TextChange = 'nanoseconds' | 'dataset' | 'direction'

const same = (name: string): Entry => ({ from: name, to: name })
const renamed = (from: string, to: string): Entry => ({ from, to })

/** The table: a field that is not in it goes to `lintel.NAME`. */
export const TABLE: readonly Entry[] = [
  renamed('time', '@timestamp'),
  { from: 'duration', to: 'event.duration', as: seconds => Math.round(Number(seconds) * 1e9), change: 'nanoseconds' },
  { from: 'kind', to: 'event.dataset', as: kind => `lintel.${String(kind)}`, change: 'dataset' },
  renamed('event.name', 'event.action'), same('event.reason'), same('event.sequence'),
  ...['client', 'server', 'source', 'destination'].flatMap(end => [same(`${end}.address`), same(`${end}.port`)]),
  same('network.type'), same('network.transport'), renamed('network.protocol.name', 'network.protocol'),
  {
    from: 'network.io.direction', to: 'network.direction', as: direction => direction === 'receive' ? 'ingress' : 'egress', change: 'direction',
  },
  same('url.scheme'), same('url.domain'), same('url.path'), same('url.query'),
  same('http.request.method'), renamed('http.request.body.size', 'http.request.body.bytes'), renamed('request.id', 'http.request.id'),
  same('http.response.status_code'), renamed('http.response.body.size', 'http.response.body.bytes'),
  same('user_agent.original'), same('trace.id'), same('span.id'),
  renamed('tls.protocol.name', 'tls.version_protocol'), renamed('tls.protocol.version', 'tls.version'),
  ...['cipher', 'curve', 'next_protocol', 'resumed', 'client.server_name', 'client.subject', 'client.issuer',
    'server.subject', 'server.issuer', 'server.not_before', 'server.not_after'].map(name => same(`tls.${name}`)),
]

/** Addresses that stand under `ip` as well, unless privacy made something else of them. */
export const ENDS = ['client', 'server', 'source', 'destination'] as const
const IP = /^[0-9a-f.:]{2,45}$/

type Tree = Map<string, Tree | Entry>

const TREE: Tree = new Map()
for (const entry of TABLE) {
  const keys = entry.from.split('.')
  let at = TREE
  for (const key of keys.slice(0, -1)) {
    const below = at.get(key) as Tree | undefined ?? new Map() as Tree
    at.set(key, below)
    at = below
  }
  at.set(keys.at(-1) as string, entry)
}

/**
 * The plain way, that takes any JSON: ecs-line.ts does the same from the text of a line, at a small part of the cost.
 *
 * @param record a line of NDJSON, parsed
 * @param id     for `event.id`
 */
export function ecsDocument(record: Json, id: string): Json {
  const document: Json = { ecs: { version: ECS_VERSION }, event: { id, kind: 'event', module: 'lintel' } }
  const rest = moved(record, TREE, document)
  if (rest !== undefined) document['lintel'] = rest
  for (const end of ENDS) {
    const place = document[end] as Json | undefined
    const address = place?.['address']
    if (place !== undefined && typeof address === 'string' && IP.test(address)) place['ip'] = address
  }
  const { name, version } = ((record['network'] as Json | undefined)?.['protocol'] ?? {}) as { readonly name?: unknown, readonly version?: unknown }
  if (name === 'http' && version !== undefined) put(document, 'http.version', version)
  return document
}

/** Puts what the table names into the document. @returns what is left */
function moved(record: Json, tree: Tree, document: Json): Json | undefined {
  let rest: Json | undefined
  for (const [key, value] of Object.entries(record)) {
    const found = tree.get(key)
    if (found instanceof Map && typeof value === 'object' && value !== null) {
      const below = moved(value as Json, found, document)
      if (below !== undefined) (rest ??= {})[key] = below
    } else if (found !== undefined && !(found instanceof Map)) put(document, found.to, found.as === undefined ? value : found.as(value))
    else (rest ??= {})[key] = value
  }
  return rest
}

function put(document: Json, name: string, value: unknown): void {
  const keys = name.split('.')
  let at = document
  for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as Json
  at[keys.at(-1) as string] = value
}
