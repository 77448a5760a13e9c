import type { HeaderMap, LogRecord } from './log-record.ts'
import { conversationOf, endpointsKey, NO_ANSWER } from './observation.ts'
import type { Observation } from './observation.ts'

/**
 * What the log says, as conversations. Records of other kinds than `exchange` are left out, and exchanges over HTTP/2: the witnesses
 * are asked for HTTP/1.
 */
export function lintelObservation(records: readonly LogRecord[]): Observation {
  const observation: Observation = new Map()
  const exchanges = records.filter((record) => record.kind === 'exchange' && record.client !== undefined &&
    record.network?.protocol?.version !== '2')
  for (const [key, group] of byEndpoints(exchanges)) {
    const conversation = conversationOf(observation, key)
    const order = [...group].sort((a, b) => connectionOf(a) - connectionOf(b) || depthOf(a) - depthOf(b))
    const answered = order.filter((record) => record.http?.response?.status_code !== undefined)
    const inTime = [...answered].sort((a, b) => connectionOf(a) - connectionOf(b) || earlier(a, b) || depthOf(a) - depthOf(b))
    for (const record of inTime) {
      const { status_code: status, header } = record.http!.response!
      conversation.responses.push({ status: status!, headers: headerLines(header) })
    }
    for (const record of order) {
      const request = record.http?.request
      if (request?.method === undefined) continue
      const method = request.method_original ?? request.method
      const query = record.url?.query === undefined ? '' : `?${record.url.query}`
      const answer = inTime.indexOf(record)
      conversation.requests.push({
        method,
        target: method === 'CONNECT' ? '' : `${record.url?.path ?? ''}${query}`,
        answer: answer === -1 ? NO_ANSWER : answer,
        headers: headerLines(request.header),
      })
    }
  }
  return observation
}

function byEndpoints(records: readonly LogRecord[]): Map<string, LogRecord[]> {
  return Map.groupBy(records, ({ client, server }) =>
    endpointsKey(client!.address, client!.port, server?.address ?? '', server?.port ?? 0))
}

function connectionOf(record: LogRecord): number {
  return record.network?.connection?.id ?? 0
}

function depthOf(record: LogRecord): number {
  return record.http?.request?.depth ?? 0
}

function earlier(a: LogRecord, b: LogRecord): number {
  const difference = responseTime(a) - responseTime(b)
  return difference < 0n ? -1 : Number(difference > 0n)
}

/** Nanoseconds since 1970 of the first byte of the response. */
function responseTime(record: LogRecord): bigint {
  return nanoseconds(record.time) + BigInt(Math.round((record.time_to_first_byte ?? 0) * 1e9))
}

export function nanoseconds(time: string): bigint {
  const [seconds, fraction] = time.slice(0, -1).split('.')
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt((fraction ?? '').padEnd(9, '0'))
}

/** Names in the order in which they first came, the values of one name together. */
function headerLines(header: HeaderMap | undefined): string[] {
  return Object.entries(header ?? {}).flatMap(([name, values]) => values.map((value) => `${name}: ${value}`))
}
