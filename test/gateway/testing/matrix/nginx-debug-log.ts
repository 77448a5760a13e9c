/**
 * Exchanges out of nginx's debug log, the only place where nginx writes down each field of a request and of its response, in
 * their order. Its lines bear the number of the connection (`*7`); a response head of HTTP/1 is one entry of several lines.
 *
 * nginx handles one event after the other and answers `return` in the same step in which it has read the head: what follows
 * a head on its connection is its response.
 */
import type { Recorded } from './cells.ts'

type Fields = [string, string][]

interface Open {
  client: number
  version: string
  method: string
  target: string
  request: Fields
  status: number
  response: Fields
}

const ENTRY = /^\d{4}\/\d\d\/\d\d [\d:]+ \[\w+\] \d+#\d+: \*(\d+) ([^]*)$/

function open(client: number, version: string, method = '', target = ''): Open {
  return { client, version, method, target, request: [], status: 0, response: [] }
}

function field(text: string): [string, string] {
  const colon = text.indexOf(': ')
  return [text.slice(0, colon), text.slice(colon + 2)]
}

/** Takes one entry of a connection; a request that begins is put into `all`. */
function take(entry: string, client: number, last: Open | undefined, all: Open[]): Open | undefined {
  const line = /^http request line: "(\S+) (\S+) HTTP\/([\d.]+)"$/.exec(entry)
  if (line !== null) return all[all.push(open(client, line[3]!, line[1], line[2])) - 1]
  if (/^http2 HEADERS frame sid:/.test(entry)) return all[all.push(open(client, '2')) - 1]
  if (last === undefined) return undefined
  const asked = /^http2? header: "([^]*)"$/.exec(entry)
  const told = /^http2 output header: "([^]*)"$/.exec(entry)
  const head = /^HTTP\/1\.1 (\d+) [^\n]*\n([^]*)$/.exec(entry)
  if (asked !== null && asked[1]!.startsWith(':')) {
    const [name, value] = field(asked[1]!)
    if (name === ':method') last.method = value
    if (name === ':path') last.target = value
  } else if (asked !== null) last.request.push(field(asked[1]!))
  else if (told !== null && told[1]!.startsWith(':status: ')) last.status = Number(field(told[1]!)[1])
  else if (told !== null) last.response.push(field(told[1]!))
  else if (head !== null) {
    last.status = Number(head[1])
    last.response.push(...head[2]!.split(/\r?\n/).filter((text) => text !== '').map(field))
  }
  return last
}

/** `text`: a whole log of level debug, of one worker. */
export function readDebugLog(text: string): Recorded[] {
  const all: Open[] = []
  const clients = new Map<string, number>()
  const last = new Map<string, Open | undefined>()
  for (const written of text.split(/\n(?=\d{4}\/\d\d\/\d\d )/)) {
    const [, connection, entry] = ENTRY.exec(written.trimEnd()) ?? []
    if (connection === undefined || entry === undefined) continue
    const accepted = /^accept: 127\.0\.0\.1:(\d+) /.exec(entry)
    if (accepted !== null) clients.set(connection, Number(accepted[1]))
    last.set(connection, take(entry, clients.get(connection) ?? 0, last.get(connection), all))
  }
  return all.map((exchange) => ({ server: 'nginx', ...exchange }))
}
