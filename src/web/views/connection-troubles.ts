import type { Question } from '../question.ts'
import { pointSql, type View, type ViewColumn } from '../view.ts'

/** Connections that are over; each is told once then. */
const ENDED = `"kind" = 'connection' AND coalesce(event_name, '') <> 'open'`
/** What the client asked for by TLS, where it did; records of connections know no other name. */
const HOST = 'coalesce(tls_client_server_name, server_address)'

const COLUMNS: readonly ViewColumn[] = [
  { title: 'Connections', unit: 'count' }, { title: 'Reset', unit: 'count' }, { title: 'Refused', unit: 'count' },
  { title: 'Timed out', unit: 'count' }, { title: 'Resets sent', unit: 'count' }, { title: 'Retransmissions', unit: 'count' },
]

function ended(reason: string): string {
  return `count(*) FILTER (WHERE event_name = '${reason}')`
}

/** The last two are NULL where `fields` left them out: 0 would say that there was none. */
const COUNTS = `count(*) AS n, ${ended('reset')} AS reset, ${ended('refused')} AS refused, ${ended('timeout')} AS timed_out,
  sum(tcp_resets) AS resets, sum(tcp_retransmissions) AS retransmissions`
/** The most troubled first. */
const ORDER = 'coalesce(resets, 0) + coalesce(retransmissions, 0) + reset + refused + timed_out DESC, n DESC'

function grouped(keys: readonly string[], { where, limit }: Question): string {
  const places = keys.map((_, index) => index + 1).join(', ')
  return `SELECT ${keys.join(', ')}, ${COUNTS} FROM records WHERE ${ENDED} AND ${where}
    GROUP BY ${places} ORDER BY ${ORDER}, ${places} LIMIT ${limit}`
}

/** Points of a chart. Times in which no connection began have no row. */
export const connectionTroubles: View = {
  name: 'connection-troubles',
  title: 'Resets and retransmissions over time',
  columns: [{ title: 'Time', unit: 'time' }, ...COLUMNS],
  sql: question => `SELECT ${pointSql(question)} AS at, ${COUNTS} FROM records WHERE ${ENDED} AND ${question.where} GROUP BY 1 ORDER BY 1`,
}

export const troubledHosts: View = {
  name: 'troubled-hosts',
  title: 'Resets and retransmissions by host',
  columns: [{ title: 'Host', unit: 'text' }, { title: 'Port', unit: 'text' }, ...COLUMNS],
  sql: question => grouped([`${HOST} AS host`, `${question.words.text('server_port')} AS port`], question),
}

export const troubledClients: View = {
  name: 'troubled-clients',
  title: 'Resets and retransmissions by client',
  columns: [{ title: 'Client', unit: 'text' }, { title: 'Process', unit: 'text' }, ...COLUMNS],
  sql: question => grouped(['client_address', 'client_process_executable_name AS process'], question),
}
