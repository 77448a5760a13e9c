/**
 * ClickHouse's engine (chdb, which is embedded) behind its HTTP interface, as far as Lintel uses it: a statement in the query or the body,
 * data behind it, settings and user by query and headers, and its errors with status and code. Statements run one after the other.
 *
 * Arguments: folder of chdb, folder of the data, port, user:password or nothing.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'

interface Session {
  query(statement: string, format: string): string
  close(): void
}
type Chdb = { readonly Session: new (path: string, options?: { readonly connectionArgs: readonly string[] }) => Session }

const [chdb, data, port, credentials = ''] = process.argv.slice(2) as [string, string, string, string?]
const { Session: Engine } = createRequire(import.meta.url)(resolve(chdb, 'node_modules/chdb')) as Chdb
/** Holds the engine; statements with settings run in sessions of their own, whose settings a statement cannot change. */
const main = new Engine(data)
const AUTHENTICATION_FAILED = 516
/** As src/Server/HTTPHandler.cpp has it. */
const STATUS: ReadonlyMap<number, number> = new Map([
  ...[6, 25, 26, 27, 36, 38, 41, 43, 53, 62, 72, 117, 321, 427, 467].map(code => [code, 400] as const),
  ...[46, 47, 50, 60, 73, 81, 115].map(code => [code, 404] as const), [AUTHENTICATION_FAILED, 403], [164, 403], [497, 403],
])
/** Of a query, not of the engine. */
const OWN = new Set(['http_write_exception_in_output_format', 'query', 'database', 'default_format', 'user', 'password'])

function refuse(response: ServerResponse, code: number, text: string): void {
  response.writeHead(STATUS.get(code) ?? 500, { 'x-clickhouse-exception-code': String(code), 'content-type': 'text/plain; charset=UTF-8' }).end(text)
}

function isAllowed({ headers }: IncomingMessage): boolean {
  return credentials === '' || headers.authorization === `Basic ${Buffer.from(credentials).toString('base64')}`
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const bytes = Buffer.concat(parts)
  const coding = request.headers['content-encoding']
  return (coding === 'gzip' ? gunzipSync(bytes) : coding === 'zstd' ? zstdDecompressSync(bytes) : bytes).toString()
}

function run(statement: string, query: URLSearchParams): string {
  const settings = [...query].filter(([name]) => !OWN.has(name)).map(([name, value]) => `--${name}=${value}`)
  const database = query.get('database')
  const session = settings.length === 0 && database === null ? main : new Engine(data, { connectionArgs: settings })
  try {
    if (database !== null) session.query(`USE \`${database}\``, 'TabSeparated')
    return session.query(statement, query.get('default_format') ?? 'TabSeparated')
  } finally {
    if (session !== main) session.close()
  }
}

const server = createServer((request, response) => {
  void answer(request, response).catch((error: Error) => {
    refuse(response, Number(/Code: (\d+)/.exec(error.message)?.[1] ?? 1002), error.message.replace('Query failed: ', ''))
  })
})

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams: query } = new URL(request.url as string, 'http://unused')
  const body = await bodyOf(request)
  if (pathname === '/ping') return void response.end('Ok.\n')
  if (!isAllowed(request)) return refuse(response, AUTHENTICATION_FAILED, `Code: ${AUTHENTICATION_FAILED}. DB::Exception: Authentication failed`)
  const statement = [query.get('query') ?? '', body].filter(part => part !== '').join('\n')
  const text = run(statement, query)
  response.writeHead(200, { 'x-clickhouse-format': query.get('default_format') ?? 'TabSeparated' }).end(text)
}

server.listen(Number(port), '127.0.0.1')
await once(process, 'SIGTERM')
server.close()
server.closeAllConnections()
main.close()
process.exit(0)
