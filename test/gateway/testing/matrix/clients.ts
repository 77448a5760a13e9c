/** The clients of the matrix: the runs of one cell, and how many exchanges they make. */
import { fileURLToPath } from 'node:url'
import { run } from '../process.ts'
import type { TlsFolder } from '../tls-peers.ts'
import { isSecure, pathOf, portOf, versionOf } from './cells.ts'
import type { Cell, ClientName } from './cells.ts'
import { NODE_PEER } from './servers.ts'

/** Exchanges of each client in each cell. */
export const COUNTS: Readonly<Record<ClientName, number>> = {
  curl: 6, h2load: 60, wrk: 100, nghttp: 3, python: 7, node: 12, go: 12,
}
const ODD = ['-H', 'x-same: one', '-H', 'x-odd: a;b="c, d"=', '-H', 'x-same: two']
const PYTHON = fileURLToPath(new URL('python-client.py', import.meta.url))
const WRK = fileURLToPath(new URL('wrk.lua', import.meta.url))

type Command = [program: string, args: string[]]

function commands(cell: Cell, folder: TlsFolder, go: string): Command[] {
  const { client, server, protocol } = cell
  const port = portOf(server, protocol)
  const one = versionOf(protocol) === '1.1'
  const scheme = isSecure(protocol) ? 'https' : 'http'
  const base = `${scheme}://127.0.0.1:${port}`
  const url = `${base}${pathOf(cell)}`
  const version = one ? '1' : '2'
  const count = COUNTS[client]
  const numbered = (index: number): string => `${url}/${index}`
  switch (client) {
    case 'curl': {
      const first = ['-sSkf', one ? '--http1.1' : protocol === 'h2' ? '--http2' : '--http2-prior-knowledge', ...ODD,
        '-H', 'X-City: Zürich', '-H', 'X-Empty;']
      // Debian's curl (7.88) fails with "Error in the HTTP2 framing layer" where it uses a connection of prior knowledge again.
      const runs = protocol === 'h2c' ? Array.from({ length: count - 1 }, (_, index) => `${index + 1}`) : [`[1-${count - 1}]`]
      // It also fails where nginx's `return` resets a stream whose body it did not read, which RFC 9113 8.1 allows.
      const post = server === 'nginx' && !one ? ['-X', 'POST'] : ['-d', 'a=b']
      const gets = runs.map((range): Command => ['curl', [...first, `${url}/${range}?q=a%20b&q=`]])
      return [...gets, ['curl', [...first, ...post, `${url}/post`]]]
    }
    case 'h2load': {
      // Each of two connections goes through the list by itself.
      const urls = Array.from({ length: count / 2 }, (_, index) => `${numbered(index)}\n`)
      const list = folder.write(`uris-${server}-${protocol}`, urls.join(''))
      return [['h2load', [...(one ? ['--h1'] : ['-m10']), `-n${count}`, '-c2', ...ODD, '-i', list]]]
    }
    case 'wrk': return [['wrk', ['-t1', '-c1', '-d1s', '-s', WRK, '-H', 'x-odd: a;b="c, d"=', url, '--', String(count)]]]
    case 'nghttp': return [['nghttp', ['-n', ...ODD, ...Array.from({ length: count }, (_, index) => numbered(index))]]]
    case 'python': {
      const args = [PYTHON, version, scheme, String(port), pathOf(cell), String(count)]
      return [[one ? 'python3' : '/usr/bin/python3', args]]
    }
    case 'node': return [[process.execPath, [NODE_PEER, 'ask', version, base, pathOf(cell), String(count)]]]
    case 'go': return [[go, ['ask', version, base, pathOf(cell), String(count)]]]
  }
}

/** Asks all that the cell asks for; `go` is the path of the Go client. */
export async function askIn(cell: Cell, folder: TlsFolder, go: string): Promise<void> {
  for (const [program, args] of commands(cell, folder, go)) await run(program, args)
}
