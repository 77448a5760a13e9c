/** The table by which records are told in the names of the Open Cybersecurity Schema Framework (https://schema.ocsf.io). */

export const OCSF_VERSION = '1.6.0'

/** What becomes of a value; none = it stays as it is. */
export type OcsfChange = 'method' | 'ms' | 'text' | 'headers' | 'ip' | 'no ip' | 'ip version' | 'ja4'

/** Groups that are not as OCSF wants them without one of their members, or in one of its classes. Bits, to be added up. */
export const GROUPS = {
  src: 1, dst: 2, url: 4, response: 8, tls: 16, requestHeaders: 32, responseHeaders: 64, http: 128, network: 256,
} as const

export interface OcsfEntry {
  /** Name in docs/fields.md. */
  readonly from: string
  readonly to: string
  readonly change?: OcsfChange
  /** The value loses something on the way, or is only looked at: it stands under `unmapped` as well. */
  readonly stays?: true
  /** Groups that it is in: it goes to `unmapped` when one of them is left out. */
  readonly groups: number
}

const { src, dst, url, response, tls, requestHeaders, responseHeaders, http, network } = GROUPS

const entry = (from: string, to: string, groups: number, change?: OcsfChange, stays?: true): OcsfEntry => ({
  from, to, groups, ...(change === undefined ? {} : { change }), ...(stays === undefined ? {} : { stays }),
})

const endpoint = (from: string, to: string, group: number): OcsfEntry[] => [
  // What privacy made of an address is none.
  entry(`${from}.address`, `${to}.ip`, network + group, 'ip'), entry(`${from}.address`, `${to}.uid`, network + group, 'no ip'),
  entry(`${from}.port`, `${to}.port`, network + group),
]

/** Members of one object stand together. A field that is not there goes to `unmapped`, under its own name. */
const SHARED: readonly OcsfEntry[] = [
  entry('event.sequence', 'metadata.sequence', 0), entry('event.name', 'metadata.event_code', 0), entry('trace.id', 'metadata.correlation_uid', 0),
  entry('event.reason', 'status_detail', 0), entry('duration', 'duration', 0, 'ms', true),
  entry('network.protocol.name', 'app_name', network),
  entry('network.connection.id', 'connection_info.uid', network, 'text'), entry('network.transport', 'connection_info.protocol_name', network),
  entry('network.type', 'connection_info.protocol_ver_id', network, 'ip version', true),
  entry('connection.client.bytes', 'traffic.bytes_out', network), entry('connection.server.bytes', 'traffic.bytes_in', network),
  entry('connection.client.packets', 'traffic.packets_out', network), entry('connection.server.packets', 'traffic.packets_in', network),
  entry('connection.lost_bytes', 'traffic.bytes_missed', network),
  entry('tls.protocol.version', 'tls.version', network + tls), entry('tls.cipher', 'tls.cipher', network + tls),
  entry('tls.client.server_name', 'tls.sni', network + tls),
  entry('tls.client.ja4', 'ja4_fingerprint_list', network, 'ja4'),
  entry('http.request.method', 'http_request.http_method', http, 'method'), entry('user_agent.original', 'http_request.user_agent', http),
  entry('request.id', 'http_request.uid', http), entry('network.protocol.version', 'http_request.version', http),
  entry('http.request.body.size', 'http_request.body_length', http),
  entry('url.scheme', 'http_request.url.scheme', http + url), entry('url.domain', 'http_request.url.hostname', http + url),
  entry('url.path', 'http_request.url.path', http + url), entry('url.query', 'http_request.url.query_string', http + url),
  entry('http.request.header', 'http_request.http_headers', http + requestHeaders, 'headers'),
  entry('http.response.status_code', 'http_response.code', http + response),
  entry('http.response.body.size', 'http_response.body_length', http + response),
  entry('http.response.header', 'http_response.http_headers', http + response + responseHeaders, 'headers'),
]

/** Of records of connections, and of those of packets. */
export const OCSF = [...endpoint('client', 'src_endpoint', src), ...endpoint('server', 'dst_endpoint', dst), ...SHARED]
export const OCSF_PACKET = [...endpoint('source', 'src_endpoint', src), ...endpoint('destination', 'dst_endpoint', dst), ...SHARED]

/** What a group is not without, by what it becomes. */
export const ANCHORS = [
  [src, ['src_endpoint.ip', 'src_endpoint.uid']], [dst, ['dst_endpoint.ip', 'dst_endpoint.uid']], [url, ['http_request.url.path']],
  [response, ['http_response.code']], [tls, ['tls.version']],
] as const

/** Only looked at. */
export const LOOKED_AT = ['client.process.pid', 'server.process.pid', 'http.request.header_bytes', 'http.response.header_bytes'] as const

export const HTTP_ACTIVITY = 4002
export const NETWORK_ACTIVITY = 4001
export const BASE_EVENT = 0

export const OTHER = 99
export const TRAFFIC = 6
const METHODS = new Map([
  ['CONNECT', 1], ['DELETE', 2], ['GET', 3], ['HEAD', 4], ['OPTIONS', 5], ['POST', 6], ['PUT', 7], ['TRACE', 8], ['PATCH', 9],
])
const EVENTS = new Map([
  ['open', 1], ['answered', 1], ['close', 2], ['reset', 3], ['timeout', 4], ['unanswered', 4], ['refused', 5],
])
const [UNKNOWN, SUCCESS, FAILURE] = [0, 1, 2] as const
const [INFORMATIONAL, LOW, MEDIUM] = [1, 2, 3] as const

export interface OcsfClass {
  readonly classUid: number
  readonly activityId: number
  readonly severityId: number
  readonly statusId: number
}

export interface OcsfFacts {
  readonly kind: string | undefined
  readonly isHttp: boolean
  readonly hasEndpoint: boolean
  readonly method: string | undefined
  readonly status: number | undefined
  /** `event.name`. */
  readonly event: string | undefined
}

/** What OCSF takes a record for. A status of 5xx is of medium severity, one of 4xx and an anomaly of low. */
export function classOf({ kind, isHttp, hasEndpoint, method, status, event }: OcsfFacts): OcsfClass {
  if (isHttp) {
    const activityId = method === undefined ? UNKNOWN : METHODS.get(method) ?? OTHER
    const statusId = status === undefined ? UNKNOWN : status >= 400 ? FAILURE : SUCCESS
    return { classUid: HTTP_ACTIVITY, activityId, statusId, severityId: (status ?? 0) >= 500 ? MEDIUM : statusId === FAILURE ? LOW : INFORMATIONAL }
  }
  const isAnomaly = kind === 'anomaly'
  const known = isAnomaly ? undefined : EVENTS.get(event ?? '')
  const severityId = isAnomaly ? LOW : INFORMATIONAL
  if (!hasEndpoint) return { classUid: BASE_EVENT, activityId: event === undefined ? UNKNOWN : OTHER, severityId, statusId: UNKNOWN }
  const activityId = known ?? (kind === 'packet' || kind === 'exchange' ? TRAFFIC : event === undefined ? UNKNOWN : OTHER)
  const statusId = known === undefined ? UNKNOWN : known >= 3 ? FAILURE : SUCCESS
  return { classUid: NETWORK_ACTIVITY, activityId, severityId, statusId }
}
