/**
 * Every field of every record: name, type, unit, sensitivity, one line of doc. `lintel fields` prints it; the docs, the
 * config's JSON Schema and the encoders come from it. Field id = place in this list + 1; fields that share a prefix
 * stand together, so that an encoder can nest them in one pass.
 */
export type FieldType =
  | 'string' | 'int' | 'seconds' | 'time' | 'address' | 'mac' | 'headers' | 'strings' | 'bool' | 'marks' | 'ints'

export type RecordKind = 'exchange' | 'connection' | 'packet' | 'anomaly' | 'websocket' | 'handshake'

/**
 * What a value may tell. `none`: nothing of a person or secret; `personal`: an address or the like, anonymised when
 * chosen; `free`: text from traffic, searched for credentials; `headers`: each value judged by its header's name too.
 */
export type Sensitivity = 'none' | 'personal' | 'free' | 'headers'

export interface Field {
  readonly name: string
  readonly type: FieldType
  readonly unit?: string
  readonly sensitivity: Sensitivity
  /** Records that can carry it. */
  readonly kinds: readonly RecordKind[]
  /** Logged with no configuration. */
  readonly standard: boolean
  readonly doc: string
}

const E = ['exchange'] as const
const C = ['connection'] as const
const P = ['packet'] as const
const A = ['anomaly'] as const
const W = ['websocket'] as const
const EW = ['exchange', 'websocket'] as const
const EC = ['exchange', 'connection'] as const
const ECW = ['exchange', 'connection', 'websocket'] as const
const EP = ['exchange', 'packet'] as const
const ECP = ['exchange', 'connection', 'packet'] as const
const EH = ['exchange', 'handshake'] as const
const ECWH = ['exchange', 'connection', 'websocket', 'handshake'] as const
const CAWH = ['connection', 'anomaly', 'websocket', 'handshake'] as const
const ALL_BUT_PACKET = ['exchange', 'connection', 'anomaly', 'websocket', 'handshake'] as const
const ALL_BUT_ANOMALY = ['exchange', 'connection', 'packet', 'websocket', 'handshake'] as const
const ALL = ['exchange', 'connection', 'packet', 'anomaly', 'websocket', 'handshake'] as const
/** In the order of KIND_* (wasm/layout.ts). */
export const RECORD_KINDS = ALL

function field(name: string, type: FieldType, kinds: readonly RecordKind[], standard: boolean, sensitivity: Sensitivity,
  doc: string, unit?: string): Field {
  return unit === undefined ? { name, type, kinds, standard, sensitivity, doc }
    : { name, type, kinds, standard, sensitivity, doc, unit }
}

/** Of the process at one end of a connection: a contiguous range, so that it is written once and shown in many records. */
function processFields(role: 'client' | 'server'): Field[] {
  const at = (name: string, type: FieldType, standard: boolean, sensitivity: Sensitivity, doc: string): Field =>
    field(`${role}.${name}`, type, ECWH, standard, sensitivity, doc)
  return [
    at('process.pid', 'int', true, 'none', `Process that speaks for the ${role}, when it is on this machine: its id.`),
    at('process.title', 'string', false, 'free', 'Its name as the kernel has it (comm), at most 15 bytes; a program may set it.'),
    at('process.executable.name', 'string', true, 'free', 'Last name of its executable\'s path.'),
    at('process.executable.path', 'string', true, 'free', 'Path of its executable, in its own mount namespace.'),
    at('process.command_line', 'string', true, 'free', 'Its arguments, secrets hidden; over 4,096 bytes they are cut and end in an ellipsis.'),
    at('process.owner', 'string', true, 'free', 'Name of its effective user, from this host\'s /etc/passwd.'),
    at('process.user.id', 'int', false, 'none', 'Number of its effective user.'),
    at('process.linux.cgroup', 'string', false, 'free', 'Path of its cgroup: v2, or v1 of memory or pids where v2 is not used.'),
    at('systemd.unit', 'string', true, 'free', 'systemd service or scope it runs in.'),
    at('container.id', 'string', true, 'none', 'Container it runs in.'),
    at('container.name', 'string', true, 'free', 'The container\'s name, where its runtime tells.'),
    at('container.image.name', 'string', true, 'free', 'The container\'s image, where its runtime tells.'),
    at('container.runtime.name', 'string', false, 'none', 'docker, containerd, cri-o or podman, as far as the cgroup tells.'),
    at('k8s.namespace.name', 'string', true, 'free', 'Kubernetes namespace of its pod.'),
    at('k8s.pod.name', 'string', true, 'free', 'Name of its pod.'),
    at('k8s.pod.uid', 'string', true, 'none', 'UID of its pod.'),
  ]
}

/** In the order in which a record shows them. */
export const FIELDS: readonly Field[] = [
  field('kind', 'string', ALL, true, 'none', 'exchange, connection, packet, anomaly, websocket or handshake.'),
  field('time', 'time', ALL, true, 'none', 'When it began: first byte of the request, first packet of the connection, the response that opened the WebSocket, the ClientHello.'),
  field('duration', 'seconds', ECWH, true, 'none', 'First byte of the request to last byte of the response; open to close; ClientHello to the server\'s answer.', 's'),
  field('time_to_first_byte', 'seconds', E, true, 'none', 'First byte of the request to first byte of the response.', 's'),
  field('event.name', 'string', ALL_BUT_PACKET, true, 'none',
    'What happened: open, close, reset, refused, timeout; of a handshake answered, refused or unanswered; the anomaly\'s name; ' +
    'of an exchange that goes on open.'),
  field('event.reason', 'string', CAWH, true, 'none', 'Why, in one phrase.'),
  field('event.count', 'int', A, true, 'none', 'How often since the last record of this name.'),
  field('event.sequence', 'int', ALL, true, 'none', 'Number of this record in this run, from 1, without holes; several workers take turns, and the end has holes.'),
  field('client.address', 'address', ALL_BUT_PACKET, true, 'personal', 'Socket address of the side that asked.'),
  field('client.port', 'int', ALL_BUT_PACKET, true, 'none', 'Its port.'),
  field('client.real_address', 'string', E, true, 'personal', 'The client behind trusted proxies, from a PROXY header, Forwarded, X-Forwarded-For or X-Real-IP.'),
  ...processFields('client'),
  field('server.address', 'address', ALL_BUT_PACKET, true, 'personal', 'Socket address of the side that answers.'),
  field('server.port', 'int', ALL_BUT_PACKET, true, 'none', 'Its port.'),
  ...processFields('server'),
  field('source.address', 'address', P, true, 'personal', 'Sender of the packet.'),
  field('source.port', 'int', P, true, 'none', 'Its port.'),
  field('destination.address', 'address', P, true, 'personal', 'Receiver of the packet.'),
  field('destination.port', 'int', P, true, 'none', 'Its port.'),
  field('network.type', 'string', ALL, true, 'none', 'ipv4 or ipv6.'),
  field('network.transport', 'string', ALL, true, 'none', 'tcp, udp, icmp, icmpv6 or the IP protocol number.'),
  field('network.interface.name', 'string', ALL_BUT_ANOMALY, true, 'none', 'Interface the capture saw it on.'),
  field('network.protocol.name', 'string', ECWH, true, 'none', 'http, websocket, or the name of a decoder of your own; of a handshake tls or quic.'),
  field('network.protocol.version', 'string', EH, true, 'none', 'Version of the request (of the response when there is no request): 0.9, 1.0, 1.1, 2; of QUIC: 1, 2, draft-29.'),
  field('network.io.direction', 'string', P, true, 'none', 'receive or transmit, seen from this host.'),
  field('network.connection.id', 'int', ECWH, true, 'none', 'Number of the connection in this run.'),
  field('network.hook', 'string', ALL_BUT_ANOMALY, false, 'none', 'Where it was captured: file, tcx, clsact, xdp, socket, cgroup; uprobe where only probes of a TLS library saw it.'),
  field('network.one_direction', 'bool', E, true, 'none', 'True when this hook sees one direction only, so no pair can be made.'),
  field('url.scheme', 'string', E, true, 'none', 'http or https.'),
  field('url.domain', 'string', E, true, 'free', 'Host of the request, without the port.'),
  field('url.path', 'string', E, true, 'free', 'Path of the request target.'),
  field('url.query', 'string', E, true, 'free', 'Query of the request target, without the question mark.'),
  field('http.request.method', 'string', E, true, 'none', 'Method, or _OTHER when it is not a known one.'),
  field('http.request.method_original', 'string', E, true, 'free', 'Method as sent, when it is not a known one.'),
  field('http.request.header', 'headers', E, true, 'headers', 'Every request header: lower-case name to values in order of arrival.'),
  field('http.request.header_bytes', 'int', E, true, 'none', 'Bytes of the request head on the wire; compressed in HTTP/2.', 'By'),
  field('http.request.header_count', 'int', E, false, 'none', 'Header fields of the request.'),
  field('http.request.body.size', 'int', E, true, 'none', 'Bytes of the request body, transfer coding taken off.', 'By'),
  field('http.request.trailer', 'headers', E, true, 'headers', 'Request trailer fields.'),
  field('http.request.depth', 'int', EW, true, 'none', 'Nth exchange of its connection, from 1; of a WebSocket the one that opened it.'),
  field('http.response.status_code', 'int', E, true, 'none', 'Status of the final response.'),
  field('http.response.reason_phrase', 'string', E, false, 'free', 'Text behind the status code.'),
  field('http.response.header', 'headers', E, true, 'headers', 'Every response header: lower-case name to values in order of arrival.'),
  field('http.response.header_bytes', 'int', E, true, 'none', 'Bytes of the response head on the wire; compressed in HTTP/2.', 'By'),
  field('http.response.header_count', 'int', E, false, 'none', 'Header fields of the response.'),
  field('http.response.body.size', 'int', E, true, 'none', 'Bytes of the response body, transfer coding taken off.', 'By'),
  field('http.response.trailer', 'headers', E, true, 'headers', 'Response trailer fields.'),
  field('http.response.interim_status_codes', 'ints', E, true, 'none', 'Status codes of the 1xx responses before the final one.'),
  field('http.response.interim_header', 'headers', E, true, 'headers', 'Header fields of these: lower-case name to values in order of arrival.'),
  field('http2.stream.id', 'int', E, true, 'none', 'HTTP/2 stream that carried it; even = pushed by the server.'),
  field('rpc.system.name', 'string', E, true, 'none', 'grpc, for gRPC and gRPC-Web.'),
  field('rpc.method', 'string', E, true, 'free', 'Service and method of the call: package.Service/Method.'),
  field('rpc.deadline', 'seconds', E, true, 'none', 'Time that the client gave the call (grpc-timeout).', 's'),
  field('rpc.status_code', 'string', E, true, 'none', 'How the call ended: OK, DEADLINE_EXCEEDED, ..., or the number of a code without a name.'),
  field('rpc.status_message', 'string', E, true, 'free', 'Text beside the status (grpc-message), its percent-encoding taken off.'),
  field('rpc.request.message_count', 'int', E, true, 'none', 'Messages that the client sent, where every byte of the body was followed.'),
  field('rpc.response.message_count', 'int', E, true, 'none', 'Messages that the server sent, where every byte of the body was followed.'),
  field('gen_ai.operation.name', 'string', E, true, 'none', 'AI call (capture.body_fields): chat, text_completion, embeddings or generate_content, by the path.'),
  field('gen_ai.provider.name', 'string', E, true, 'none', 'Whose API it is, by the host, else by the form of the path: openai, anthropic, azure.ai.openai, gcp.gemini, aws.bedrock, ...'),
  field('gen_ai.request.model', 'string', E, true, 'free', 'Model that was asked for, from the request\'s body, else from its path.'),
  field('gen_ai.response.model', 'string', E, true, 'free', 'Model that answered, from the response\'s body.'),
  field('gen_ai.usage.input_tokens', 'int', E, true, 'none', 'Tokens of the input, those read from and written to a cache among them.'),
  field('gen_ai.usage.output_tokens', 'int', E, true, 'none', 'Tokens of the output, those of reasoning among them.'),
  field('gen_ai.usage.cache_read.input_tokens', 'int', E, true, 'none', 'Input tokens that came from the provider\'s cache.'),
  field('gen_ai.usage.cache_creation.input_tokens', 'int', E, true, 'none', 'Input tokens that went into the provider\'s cache.'),
  field('gen_ai.usage.reasoning.output_tokens', 'int', E, true, 'none', 'Output tokens of reasoning.'),
  field('websocket.subprotocol', 'string', W, true, 'free', 'Subprotocol that the server chose (Sec-WebSocket-Protocol).'),
  field('websocket.extensions', 'string', W, true, 'free', 'Extensions that the server agreed to (Sec-WebSocket-Extensions).'),
  field('websocket.close_code', 'int', W, true, 'none', 'Code in the first close frame; missing when there was none.'),
  field('websocket.close_reason', 'string', W, true, 'free', 'Text in the first close frame.'),
  field('websocket.closed_by', 'string', W, true, 'none', 'client or server: who sent the first close frame.'),
  field('websocket.client.messages', 'int', W, true, 'none', 'Whole messages that the client sent.'),
  field('websocket.client.compressed_messages', 'int', W, true, 'none', 'Those of them that were compressed (permessage-deflate).'),
  field('websocket.client.frames', 'int', W, true, 'none', 'Data frames that the client sent.'),
  field('websocket.client.bytes', 'int', W, true, 'none', 'Payload bytes of these, as sent: not inflated.', 'By'),
  field('websocket.client.pings', 'int', W, true, 'none', 'Pings that the client sent.'),
  field('websocket.client.pongs', 'int', W, true, 'none', 'Pongs that the client sent.'),
  field('websocket.server.messages', 'int', W, true, 'none', 'Whole messages that the server sent.'),
  field('websocket.server.compressed_messages', 'int', W, true, 'none', 'Those of them that were compressed (permessage-deflate).'),
  field('websocket.server.frames', 'int', W, true, 'none', 'Data frames that the server sent.'),
  field('websocket.server.bytes', 'int', W, true, 'none', 'Payload bytes of these, as sent: not inflated.', 'By'),
  field('websocket.server.pings', 'int', W, true, 'none', 'Pings that the server sent.'),
  field('websocket.server.pongs', 'int', W, true, 'none', 'Pongs that the server sent.'),
  field('message.request.method', 'string', E, true, 'free', 'Own protocols: what the request asks for.'),
  field('message.request.path', 'string', E, true, 'free', 'Own protocols: on what.'),
  field('message.request.header', 'headers', E, true, 'headers', 'Own protocols: every header of the request, as the decoder gave it.'),
  field('message.request.body.size', 'int', E, true, 'none', 'Own protocols: bytes of the request\'s body.', 'By'),
  field('message.response.status', 'string', E, true, 'free', 'Own protocols: status of the response, as text.'),
  field('message.response.header', 'headers', E, true, 'headers', 'Own protocols: every header of the response, as the decoder gave it.'),
  field('message.response.body.size', 'int', E, true, 'none', 'Own protocols: bytes of the response\'s body.', 'By'),
  field('user_agent.original', 'string', E, true, 'free', 'The User-Agent header.'),
  field('trace.id', 'string', E, true, 'none', 'Trace id from traceparent, b3, X-B3-*, uber-trace-id, X-Amzn-Trace-Id, X-Cloud-Trace-Context, x-datadog-*.'),
  field('trace.source', 'string', E, true, 'none', 'Header that the trace id came from.'),
  field('trace.sampled', 'bool', E, true, 'none', 'Sampling decision carried with it.'),
  field('span.id', 'string', E, true, 'none', 'Id of the caller\'s span, from the same header.'),
  field('request.id', 'string', E, true, 'free', 'X-Request-ID, X-Correlation-ID, X-Kong-Request-Id, x-amzn-RequestId, x-amz-apigw-id or CF-Ray, first found.'),
  field('tls.protocol.name', 'string', ECWH, true, 'none', 'tls, or ssl before TLS 1.0. Everything under tls is what the wire shows of the connection\'s handshake.'),
  field('tls.protocol.version', 'string', ECWH, true, 'none', 'Version that the server chose: 1.3, 1.2.'),
  field('tls.cipher', 'string', ECWH, true, 'none', 'Cipher suite that the server chose, by its IANA name; 0x and its number when it has none.'),
  field('tls.curve', 'string', ECWH, true, 'none', 'Group of the key exchange, by its IANA name, where it stands in the open.'),
  field('tls.next_protocol', 'string', ECWH, true, 'free', 'Protocol that the server chose by ALPN; encrypted in TLS 1.3, so missing there.'),
  field('tls.resumed', 'bool', ECWH, true, 'none', 'True when an earlier session was resumed; in TLS 1.3 when a pre-shared key was taken.'),
  field('tls.client.server_name', 'string', ECWH, true, 'free', 'Host that the client asked for (SNI).'),
  field('tls.client.alpn', 'strings', ECWH, true, 'free', 'Protocols that the client offered by ALPN, in order.'),
  field('tls.client.ja4', 'string', ECWH, true, 'none', 'JA4 fingerprint of the ClientHello.'),
  field('tls.client.ech', 'bool', ECWH, true, 'none', 'True when the ClientHello has an encrypted one in it, so that the host shown may be a front; browsers also send it as an exercise (GREASE).'),
  field('tls.client.subject', 'string', ECWH, true, 'free', 'Subject of the client\'s certificate (RFC 4514), before TLS 1.3.'),
  field('tls.client.issuer', 'string', ECWH, true, 'free', 'Its issuer.'),
  field('tls.server.subject', 'string', ECWH, true, 'free', 'Subject of the server\'s certificate (RFC 4514), before TLS 1.3.'),
  field('tls.server.issuer', 'string', ECWH, true, 'free', 'Its issuer.'),
  field('tls.server.not_before', 'time', ECWH, true, 'none', 'When it becomes valid.'),
  field('tls.server.not_after', 'time', ECWH, true, 'none', 'When it expires.'),
  field('tls.server.subject_alternative_names', 'strings', ECWH, true, 'free', 'Host names and addresses that it is for.'),
  field('proxy.version', 'int', ECWH, true, 'none', 'Version of the PROXY header that the connection began with: 1 or 2.'),
  field('proxy.source.address', 'address', ECWH, true, 'personal', 'Client that it names.'),
  field('proxy.source.port', 'int', ECWH, true, 'none', 'Its port.'),
  field('proxy.destination.address', 'address', ECWH, true, 'personal', 'Address that the client had connected to.'),
  field('proxy.destination.port', 'int', ECWH, true, 'none', 'Its port.'),
  field('proxy.authority', 'string', ECWH, true, 'free', 'Host that the client had asked the proxy for (PP2_TYPE_AUTHORITY).'),
  field('link.source.mac', 'mac', EP, false, 'personal', 'MAC address of the client side (exchange) or the sender (packet).'),
  field('link.destination.mac', 'mac', EP, false, 'personal', 'MAC address of the server side or the receiver.'),
  field('link.type', 'string', EP, false, 'none', 'EtherType in hexadecimal.'),
  field('link.vlan', 'ints', EP, false, 'none', 'VLAN ids, outermost first.'),
  field('tunnel.type', 'string', EP, false, 'none', 'Innermost tunnel taken off: vxlan, geneve, gre, ipip, gtpu, mpls, pppoe, teredo.'),
  field('tunnel.id', 'int', EP, false, 'none', 'Its VNI, key, TEID, label or session.'),
  field('ip.ttl', 'int', EP, false, 'none', 'TTL or hop limit of the client\'s packets (exchange) or of the packet.'),
  field('ip.dscp', 'int', EP, false, 'none', 'Differentiated services code point.'),
  field('ip.ecn', 'int', EP, false, 'none', 'Explicit congestion notification bits.'),
  field('ip.identification', 'int', P, false, 'none', 'IPv4 identification or IPv6 flow label.'),
  field('ip.options', 'bool', EP, false, 'none', 'True when IPv4 options or IPv6 extension headers were present.'),
  field('ip.total_length', 'int', P, false, 'none', 'Bytes of the packet on the wire, link layer included.', 'By'),
  field('tcp.flags', 'string', ECP, false, 'none', 'Flags seen, e.g. SYN,ACK: of both sides, or of the packet.'),
  field('tcp.handshake_duration', 'seconds', EC, false, 'none', 'SYN to the ACK that ends the handshake.', 's'),
  field('tcp.retransmissions', 'int', EC, false, 'none', 'Segments that brought nothing new, both sides.'),
  field('tcp.resets', 'int', EC, false, 'none', 'RST packets seen, both sides.'),
  field('tcp.window', 'int', EP, false, 'none', 'Last window of the client, scaled when the scale is known; of the packet as sent.', 'By'),
  field('tcp.sequence', 'int', P, false, 'none', 'Sequence number.'),
  field('tcp.acknowledgement', 'int', P, false, 'none', 'Acknowledgement number.'),
  field('tcp.mss', 'int', EP, false, 'none', 'Maximum segment size announced by the client, or in the packet.', 'By'),
  field('icmp.type', 'int', P, false, 'none', 'ICMP type.'),
  field('icmp.code', 'int', P, false, 'none', 'ICMP code.'),
  field('connection.client.bytes', 'int', C, true, 'none', 'Payload bytes sent by the client.', 'By'),
  field('connection.client.packets', 'int', C, true, 'none', 'Packets sent by the client, as far as seen.'),
  field('connection.server.bytes', 'int', C, true, 'none', 'Payload bytes sent by the server.', 'By'),
  field('connection.server.packets', 'int', C, true, 'none', 'Packets sent by the server, as far as seen.'),
  field('connection.lost_bytes', 'int', C, true, 'none', 'Payload bytes the capture did not get.', 'By'),
  field('connection.exchanges', 'int', C, true, 'none', 'Exchanges logged for it, those read inside its TLS included.'),
  field('anomalies', 'strings', E, true, 'none', 'Oddities of the messages, by name, e.g. length_and_chunked.'),
  field('marks', 'marks', ECW, true, 'none', 'Why a field is cut, missing, unknown or only likely: field name to reason.'),
]

/** Field id by name: 1 .. FIELDS.length. */
const FIELD_ID: ReadonlyMap<string, number> = new Map(FIELDS.map((entry, index) => [entry.name, index + 1]))

/** Id of a field that is known to exist. @throws {RangeError} for a name that is not in the registry. */
export function fieldId(name: string): number {
  const id = FIELD_ID.get(name)
  if (id === undefined) throw new RangeError(`Cannot find field "${name}": it is not in the registry`)
  return id
}

/** Why a value is cut, missing or unknown. Id = place + 1, as in EXCHANGE_MARKS. */
export const MARK_REASONS = [
  'no response before the connection closed',
  'no response before the connection was reset',
  'no response before the capture ended',
  'no request seen: the capture began inside the exchange',
  'lost by the capture',
  'hook sees one direction only',
  'connection table full',
  'connection given up: the agent could not keep up',
  'cut: more than the bound',
  'cut short: the connection closed inside the message',
  'cut short: the connection was reset inside the message',
  'cut short: the connection was idle for too long inside the message',
  'cut short: the connection table was full',
  'cut short: the agent could not keep up',
  'cut short: the server went away (GOAWAY)',
  'cut short: too many streams open on the connection',
  'cut short: the capture ended inside the message',
  'malformed message',
  'unknown: bytes are missing inside the message',
  'not valid UTF-8: shown as ISO-8859-1',
  'connection became a tunnel',
  'memory limit reached',
  'connection was idle for too long',
  'not known which request it answers',
  'not known which response answers it',
  'an HTTP/0.9 response has no head',
  'counted up to where bytes are missing',
  'counted up to a malformed frame',
  'unknown: the compression table was not seen whole',
  'no response: the server went away (GOAWAY)',
  'too many streams open on the connection',
  'stream reset: NO_ERROR',
  'stream reset: PROTOCOL_ERROR',
  'stream reset: INTERNAL_ERROR',
  'stream reset: FLOW_CONTROL_ERROR',
  'stream reset: SETTINGS_TIMEOUT',
  'stream reset: STREAM_CLOSED',
  'stream reset: FRAME_SIZE_ERROR',
  'stream reset: REFUSED_STREAM',
  'stream reset: CANCEL',
  'stream reset: COMPRESSION_ERROR',
  'stream reset: CONNECT_ERROR',
  'stream reset: ENHANCE_YOUR_CALM',
  'stream reset: INADEQUATE_SECURITY',
  'stream reset: HTTP_1_1_REQUIRED',
  'stream reset: another error code',
  'socket not known: the program keeps its TLS library away from it',
  'likely, not proven: the client was not seen to wait for each response',
  'percent-encoded as it came: more than the bound',
  'the client had reset the stream before this response came',
  'not read: compressed, or in a form, that is not known',
  'not read: its compression is damaged',
] as const

export type MarkReason = (typeof MARK_REASONS)[number]
