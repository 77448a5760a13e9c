/**
 * Every client against every server in every protocol that both speak: the log holds what the server itself recorded, each
 * exchange once, with all its fields in their order.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Lintel } from './testing/lintel.ts'
import type { LoggedRecord } from './testing/lintel.ts'
import { cellsOf, isSecure, pathOf, PORT_MAX, portOf, protocolOf, SERVERS, versionOf } from './testing/matrix/cells.ts'
import type { Recorded, ServerName } from './testing/matrix/cells.ts'
import { askIn, COUNTS } from './testing/matrix/clients.ts'
import { buildGoPeer, startGo, startHaproxy, startNginx, startNode } from './testing/matrix/servers.ts'
import type { Server } from './testing/matrix/servers.ts'
import { TlsFolder } from './testing/tls-peers.ts'

type Header = [name: string, values: string[]][]

/** A header of the log is an object of lists: the names in the order in which each came first. */
function header(fields: readonly (readonly [string, string])[]): Header {
  const all = new Map<string, string[]>()
  for (const [name, value] of fields) all.set(name.toLowerCase(), [...all.get(name.toLowerCase()) ?? [], value])
  return [...all]
}

/** Connection is between two neighbours: haproxy takes it out before its rules see the request. */
function asRecorded(fields: Header, server: ServerName): Header {
  return server === 'haproxy' ? fields.filter(([name]) => name !== 'connection') : fields
}

/** Go's record has no order of names. */
function ordered(fields: Header, server: ServerName): Header {
  return server === 'go' ? fields.sort(([one], [other]) => (one < other ? -1 : 1)) : fields
}

/** What both sides must agree on, as one line; the first words tell the exchange. */
function lineOf(server: ServerName, client: number | undefined, target: string | undefined, rest: object): string {
  return `${server} ${client} ${target} ${JSON.stringify(rest)}`
}

function recordedLine(record: Recorded): string {
  const { server, client, target, method, version, status, body } = record
  const protocol = target.split('/')[3]
  return lineOf(server, client, target, {
    protocol, method, version, status, ...(body === undefined ? {} : { body }),
    request: ordered(header(record.request), server), response: ordered(header(record.response), server),
  })
}

function loggedLine(record: LoggedRecord): string {
  const port = record.server?.port ?? 0
  const server = SERVERS.find((name) => cellsOf(name).some(({ protocol }) => portOf(name, protocol) === port))!
  const protocol = protocolOf(port)
  const target = record.url?.query === undefined ? record.url?.path : `${record.url.path}?${record.url.query}`
  assert.equal(record.anomalies, undefined, target)
  // nginx's `return` reads no body: it answers, then resets the stream. Where that comes before the body's end, the log says so.
  if (server !== 'nginx' || record.http?.request?.method !== 'POST') assert.equal(record.marks, undefined, target)
  else if (record.marks !== undefined) {
    assert.deepEqual(record.marks, { 'http.request.body.size': 'stream reset: NO_ERROR' }, target)
  }
  const { url, network } = record
  const scheme = isSecure(protocol) ? 'https' : 'http'
  assert.deepEqual([url?.scheme, url?.domain, network?.protocol?.name], [scheme, '127.0.0.1', 'http'], target)
  const { request, response } = record.http ?? {}
  const counted = server === 'node' || server === 'go'
  return lineOf(server, record.client?.port, target, {
    protocol, method: request?.method, version: record.network?.protocol?.version, status: response?.status_code,
    ...(counted ? { body: request?.body?.size ?? 0 } : {}),
    request: ordered(asRecorded(Object.entries(request?.header ?? {}), server), server),
    response: ordered(Object.entries(response?.header ?? {}), server),
  })
}

/** No exchange twice in the servers' records, and as many in each cell as its client asked for. */
function assertWhole(recorded: readonly Recorded[]): void {
  const keys = new Set(recorded.map(({ server, client, target }) => `${server} ${client} ${target}`))
  assert.equal(keys.size, recorded.length)
  const counts = new Map<string, number>()
  for (const { target, version } of recorded) {
    const cell = target.split('/').slice(0, 4).join('/')
    counts.set(`${cell} ${version}`, (counts.get(`${cell} ${version}`) ?? 0) + 1)
  }
  const expected = SERVERS.flatMap(cellsOf)
    .map((cell): [string, number] => [`${pathOf(cell)} ${versionOf(cell.protocol)}`, COUNTS[cell.client]])
  assert.deepEqual([...counts].sort(), expected.sort())
}

const LIMIT = { timeout: 300_000 }
test('every exchange that nginx, haproxy, Node and Go recorded is logged once, with all its fields', LIMIT, async (t) => {
  const folder = await TlsFolder.make()
  const servers: Server[] = []
  let lintel: Lintel | undefined
  try {
    const go = await buildGoPeer(folder)
    servers.push(...await Promise.all([startNginx(folder), startHaproxy(folder), startNode(folder), startGo(folder, go)]))
    const kinds = ['--kind', 'exchange', '--kind', 'anomaly']
    lintel = await Lintel.start(['--port', `${portOf('nginx', 'http1')}-${PORT_MAX}`, '--interface', 'lo', ...kinds])
    await Promise.all(SERVERS.map(async (server) => { for (const cell of cellsOf(server)) await askIn(cell, folder, go) }))
    await Promise.all(servers.map(async ({ process }) => await process.stop()))
    const recorded = servers.flatMap((server) => server.recorded())
    assertWhole(recorded)
    await lintel.until(({ kind }) => kind === 'exchange', recorded.length)
    await delay(500)
    assert.match(await lintel.stop(), /adds up/)
    const records = lintel.now()
    // Those without addresses are counts of the whole machine, other programs' TLS among it.
    const anomalies = records.filter(({ kind, server }) => kind === 'anomaly' && server !== undefined)
    assert.deepEqual(anomalies.map(({ event }) => event?.name), [])
    const logged = records.filter(({ kind }) => kind === 'exchange').map(loggedLine).sort()
    const truth = recorded.map(recordedLine).sort()
    // Line by line first: the difference of one exchange is told, not that of thousands.
    for (const [index, line] of truth.entries()) assert.equal(logged[index], line)
    assert.equal(logged.length, truth.length)
    t.diagnostic(`${truth.length} exchanges in ${SERVERS.flatMap(cellsOf).length} cells`)
  } finally {
    await lintel?.process.stop('SIGKILL')
    lintel?.remove()
    for (const { process } of servers) await process.stop('SIGKILL')
    folder.remove()
  }
})
