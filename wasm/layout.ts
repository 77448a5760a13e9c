/**
 * Layouts of the blocks in shared memory, read by AssemblyScript and TypeScript alike: plain numbers, one definition.
 * Offsets in bytes; u = unsigned, f64 = double. Every `*_TIME` is f64 nanoseconds in the source's clock, -1 = unknown.
 */

// Connection block: what is known of one connection. Written by connection/, read by privacy/.
// "Side" 0 is the endpoint that sorts first (see struct directive in bpf/events.h).
export const CONNECTION_BYTES = 192
export const CONNECTION_IP_VERSION = 0 // u8: 4 or 6
export const CONNECTION_TRANSPORT = 1 // u8: IP protocol number
export const CONNECTION_CLIENT = 2 // u8: side of the client, 255 = not known
export const CONNECTION_FLAGS = 3 // u8: CONNECTION_FLAG_*
export const CONNECTION_INTERFACE = 4 // u32: interface index
export const CONNECTION_ADDRESS = 8 // 2 x 16 bytes, network order, IPv4 in the first 4
export const CONNECTION_PORT = 40 // 2 x u16, host order
export const CONNECTION_ETHERTYPE = 44 // u16
export const CONNECTION_VLAN_COUNT = 46 // u8
export const CONNECTION_TUNNEL = 47 // u8: TUNNEL_*
export const CONNECTION_VLAN = 48 // 2 x u16: tag control information, outermost first
export const CONNECTION_TUNNEL_ID = 52 // u32
export const CONNECTION_ID = 56 // u32: number of the connection in this run
export const CONNECTION_HOOK = 60 // u8: HOOK_*
export const CONNECTION_DIRECTION = 61 // 2 x u8: DIRECTION_* in which packets of each side were seen
export const CONNECTION_START_TIME = 64 // f64
export const CONNECTION_HANDSHAKE = 72 // f64: ns from SYN to the ACK that ends the handshake, -1 = not seen
export const CONNECTION_SIDE = 80 // 2 x CONNECTION_SIDE_BYTES
export const CONNECTION_SIDE_BYTES = 48
export const SIDE_MAC = 0 // 6 bytes: source MAC of the packets of this side
export const SIDE_TTL = 6 // u8
export const SIDE_TOS = 7 // u8
export const SIDE_TCP_FLAGS = 8 // u16: every flag seen so far
export const SIDE_WINDOW = 10 // u16: last seen, not scaled
export const SIDE_WINDOW_SCALE = 12 // u8: 255 = none
export const SIDE_MSS = 14 // u16: 0 = none
export const SIDE_PACKETS = 16 // u32
export const SIDE_RETRANSMISSIONS = 20 // u32
export const SIDE_BYTES = 24 // f64: payload bytes, as far as known
export const SIDE_LOST_BYTES = 32 // f64: payload bytes that the capture did not get
export const SIDE_RESETS = 40 // u32
export const SIDE_PROCESS = 44 // u32: process_info.process of its sender, 0 = not local, not known
export const CONNECTION_FACTS = 176 // 4 x u32: facts blocks by FACTS_*, 0 = none
export const CONNECTION_FACTS_COUNT = 4
export const FACTS_CLIENT_PROCESS = 0
export const FACTS_SERVER_PROCESS = 4
export const FACTS_TLS = 8
export const FACTS_PROXY = 12
export const CONNECTION_FLAG_LINK = 1 // MACs and ethertype are valid
export const CONNECTION_FLAG_MIDSTREAM = 2 // the handshake was not seen
export const CONNECTION_FLAG_IP_OPTIONS = 4
export const CONNECTION_FLAG_NO_PACKETS = 8 // known by its TLS session only: nothing of IP and TCP but the addresses

// Head block: one scanned message head (or trailer section). Made by wasm/head.ts, one alloc() of HEAD_BYTES.
export const HEAD_BYTES = 0 // u32: bytes given to alloc()
export const HEAD_RAW_LENGTH = 4 // u32: bytes on the wire: start line to the empty line, or the header block (HTTP/2)
export const HEAD_COUNT = 8 // u32: header fields kept
export const HEAD_KIND = 12 // u8: HEAD_KIND_*
export const HEAD_VERSION = 13 // u8: major * 16 + minor as written, 0x09 for HTTP/0.9, HEAD_VERSION_HTTP2
export const HEAD_STATUS = 14 // u16: response only
export const HEAD_ODDITIES = 16 // u32: ODDITY_* bits
export const HEAD_BODY = 20 // u8: BODY_*, from the head alone (HEAD, CONNECT, ... are the decoder's business)
export const HEAD_CONNECTION = 21 // u8: HEAD_CONNECTION_* bits
export const HEAD_DROPPED = 22 // u16: header fields over the bound, not kept; HEAD_CUT = the head has no end within its bound
export const HEAD_CUT = 0xffff
export const HEAD_CONTENT_LENGTH = 24 // f64: -1 = none
export const HEAD_METHOD = 32 // u32 offset in raw, u32 length: method; for a response the reason phrase
export const HEAD_TARGET = 40 // u32 offset in raw, u32 length: request target
export const HEAD_AUTHORITY = 48 // u32 offset in raw, u32 length: :authority (HTTP/2)
export const HEAD_UNKNOWN = 56 // u16: header fields whose name or value is not known (HPACK), not kept
export const HEAD_PSEUDO = 58 // u8: PSEUDO_* that are there (HTTP/2)
export const HEAD_SECRET = 59 // u8: PSEUDO_* that the sender wants nobody to index (RFC 7541 6.2.3)
export const HEAD_SCHEME = 60 // u8: SCHEME_* of wasm/target.ts, of :scheme (HTTP/2)
export const HEAD_SPANS = 64 // HEAD_COUNT x SPAN_BYTES, then the raw bytes
export const SPAN_BYTES = 16
export const SPAN_NAME = 0 // u32: offset in raw
export const SPAN_NAME_LENGTH = 4 // u16
export const SPAN_NAME_ID = 6 // u16: HEADER_* (wasm/names.ts), 0 = not a known name; SPAN_SECRET
export const SPAN_VALUE = 8 // u32: offset in raw (obs-fold already turned into spaces there)
export const SPAN_VALUE_LENGTH = 12 // u32
export const SPAN_SECRET = 0x8000 // the sender wants nobody to index the field: a secret (RFC 7541 7.1.3)
export const SPAN_ID_MASK = 0x7fff
export const PSEUDO_METHOD = 1
export const PSEUDO_PATH = 2
export const PSEUDO_STATUS = 4
export const PSEUDO_AUTHORITY = 8
export const PSEUDO_SCHEME = 16
export const PSEUDO_PROTOCOL = 32
export const HEAD_VERSION_HTTP2 = 0xf2 // no version that HTTP/1 can write
export const HEAD_KIND_REQUEST = 1
export const HEAD_KIND_RESPONSE = 2
export const HEAD_KIND_TRAILER = 3
export const BODY_NONE = 0 // request: no body; response: nothing said, so until close
export const BODY_LENGTH = 1
export const BODY_CHUNKED = 2
export const BODY_UNTIL_CLOSE = 3 // a transfer coding whose last is not chunked
export const HEAD_CONNECTION_CLOSE = 1
export const HEAD_CONNECTION_KEEP_ALIVE = 2
export const HEAD_CONNECTION_UPGRADE = 4

// Oddities of a message: named anomalies, kept with the record. Bit number = index in the names of decode/oddity.ts.
export const ODDITY_BARE_LF = 1 // line ended by LF alone (RFC 9112 2.2)
export const ODDITY_BARE_CR = 2 // CR without LF inside a line
export const ODDITY_OBS_FOLD = 4 // RFC 9112 5.2
export const ODDITY_SPACE_BEFORE_COLON = 8 // RFC 9112 5.1: request smuggling shape
export const ODDITY_LENGTH_AND_CHUNKED = 16 // Content-Length and Transfer-Encoding (RFC 9112 6.1)
export const ODDITY_LENGTH_REPEATED = 32 // several Content-Length fields or a list, same value
export const ODDITY_LENGTH_DIFFERS = 64 // several Content-Length values
export const ODDITY_LENGTH_INVALID = 128
export const ODDITY_CODING_UNKNOWN = 256 // Transfer-Encoding that is not exactly chunked last, once
export const ODDITY_NAME_INVALID = 512 // a byte that is no token character in a field name
export const ODDITY_VALUE_INVALID = 1024 // NUL or another control character in a value
export const ODDITY_LINE_INVALID = 2048 // a header line without a colon
export const ODDITY_HOST_MISSING = 4096 // HTTP/1.1 request without Host
export const ODDITY_HOST_REPEATED = 8192
export const ODDITY_START_LINE = 16384 // extra spaces, odd target bytes, version other than 1.0 and 1.1
export const ODDITY_CHUNK_SIZE = 32768 // odd chunk-size line (sign, 0x, overflow, whitespace)
export const ODDITY_HEADERS_OVER_BOUND = 65536 // more fields than kept
export const ODDITY_TARGET_INVALID = 131072
export const ODDITY_PSEUDO_HEADER = 262144 // a pseudo-header that is repeated, unknown, misplaced or missing (RFC 9113 8.3)
export const ODDITY_CONNECTION_FIELD = 524288 // a field of HTTP/1 connections in HTTP/2 (RFC 9113 8.2.2)
export const ODDITY_HOST_DIFFERS = 1048576 // Host says another name than :authority

// Exchange block: one request and its response. Written by exchange/, read by privacy/.
export const EXCHANGE_BYTES = 192
export const EXCHANGE_CONNECTION = 0 // u32: connection block
export const EXCHANGE_REQUEST = 4 // u32: head block, 0 = none
export const EXCHANGE_RESPONSE = 8 // u32: head block, 0 = none
export const EXCHANGE_REQUEST_TRAILER = 12 // u32: head block, 0 = none
export const EXCHANGE_RESPONSE_TRAILER = 16 // u32: head block, 0 = none
export const EXCHANGE_DEPTH = 20 // u32: nth exchange of its connection, from 1
export const EXCHANGE_REQUEST_TIME = 24 // f64: first byte of the request
export const EXCHANGE_REQUEST_END_TIME = 32 // f64: last byte of the request
export const EXCHANGE_RESPONSE_TIME = 40 // f64: first byte of the response
export const EXCHANGE_RESPONSE_END_TIME = 48 // f64: last byte of the response
export const EXCHANGE_REQUEST_BODY = 56 // f64: body bytes, framing excluded; -1 = not known
export const EXCHANGE_RESPONSE_BODY = 64 // f64
export const EXCHANGE_ODDITIES = 72 // u32: ODDITY_* of both messages
export const EXCHANGE_INTERIM_COUNT = 76 // u8: 1xx responses, at most 6 kept
export const EXCHANGE_TLS = 77 // u8: 1 = seen inside TLS (url.scheme https)
export const EXCHANGE_INTERIM = 78 // 6 x u16: their status codes
export const EXCHANGE_MARK_COUNT = 90 // u8: at most 16
export const EXCHANGE_MARKS = 92 // 16 x (u16 field id, u16 reason id): why a value is cut, missing or unknown
export const EXCHANGE_PROTOCOL = 156 // u8: PROTOCOL_*
export const EXCHANGE_FACTS = 160 // u32: facts block, 0 = none
export const EXCHANGE_STREAM = 172 // u32: HTTP/2 stream, 0 = none
export const EXCHANGE_REQUEST_MESSAGES = 176 // i32: gRPC messages of the request, -1 = not known
export const EXCHANGE_RESPONSE_MESSAGES = 180 // i32
export const EXCHANGE_FLAGS = 184 // u8: EXCHANGE_FLAG_*
export const EXCHANGE_INTERIM_HEAD = 188 // u32: head block of the fields of the 1xx responses, 0 = none
export const EXCHANGE_FLAG_OPEN = 1 // it goes on: this record shows its beginning
export const PROTOCOL_HTTP = 0
export const PROTOCOL_OWN = 128 // and up: decoders of the user's own, by their place
export const PROTOCOL_OWN_COUNT = 16

// Steady block: a connection that rests between two exchanges, as wasm/steady.ts follows it. Made and taken back by connection/.
export const STEADY_BYTES = 232
export const STEADY_ADDRESS = 0 // 2 x 16 bytes by side, as in the connection block
export const STEADY_PORTS = 32 // u32: 2 x u16 by side, as they stand in an event
export const STEADY_VERSION = 36 // u32: 4 or 6; STEADY_SESSION = a TLS session, whose number is the first word of the block
export const STEADY_HASH = 40 // i32: of the four above, set by `keepSteady`
export const STEADY_OWNER = 44 // u32: number of the table that made it
export const STEADY_LOCAL = 48 // u8: of a TLS session: the side whose program is read
export const STEADY_CONNECTION = 52 // u32: connection block
export const STEADY_EXCHANGE = 56 // u32: EXCHANGE block, used for one turn after the other
export const STEADY_TAG = 60 // i32: the kernel's id of the connection, 0 = none
export const STEADY_CLIENT = 64 // u8: side of the client
export const STEADY_IS_ASKED = 65 // u8: the request has come, its response has not
export const STEADY_IS_HEAD = 66 // u8: that request is HEAD
export const STEADY_NUMBERED = 67 // u8: bits by side: its records bear numbers
export const STEADY_IS_COUNTED = 68 // u8: the kernel counts the packets
export const STEADY_DEPTH = 72 // u32: exchanges of the connection before
export const STEADY_TURNS = 76 // u32: exchanges since, all whole
export const STEADY_PACKETS = 80 // u32: packets since
export const STEADY_REQUEST_LENGTH = 84 // u32: payload bytes of the last request
export const STEADY_REQUEST_ACKNOWLEDGEMENT = 88 // i32: of the packet of the last request
export const STEADY_RESPONSE_ACKNOWLEDGEMENT = 92 // i32: of the packet of the last response
export const STEADY_TURN_REQUEST_ACKNOWLEDGEMENT = 96 // i32: of the request of the last whole turn
export const STEADY_TURN_REQUEST_TIME = 104 // f64: when that came
export const STEADY_RESPONSE_TIME = 112 // f64: of the last response
export const STEADY_SIDE = 120 // 2 x STEADY_SIDE_BYTES
export const STEADY_LAST_TIME = 216 // f64: of the last packet
export const STEADY_ORDER = 224 // f64: place of the last packet among all of the table, 0 = none so far
export const STEADY_SIDE_BYTES = 48
export const STEADY_NEXT = 0 // i32: sequence of the next byte of the stream
export const STEADY_ACKNOWLEDGED = 4 // i32: what the peer acknowledged last
export const STEADY_ANSWERS = 8 // i32: what the packet acknowledged whose bytes came last
export const STEADY_RECORD = 12 // i32: number of the next record
export const STEADY_INTERFACE = 16 // i32: where the packets of the side are met: anything else is no affair of the turns
export const STEADY_PATH = 20 // i32
export const STEADY_TIME = 24 // f64: of the last packet, NaN = none so far
export const STEADY_REACHED = 32 // i32: number of the record whose bytes came last
export const STEADY_POSITION = 40 // f64: of a TLS session: place of the next byte in its stream
export const STEADY_SESSION = 1

// Facts block: what is known of a whole connection, or of one exchange, beside its packets and heads. Made by lib/record, shared by
// whoever counts a reference. Its entries are one contiguous range of field ids.
export const FACTS_BYTES = 0 // u32: bytes given to alloc()
export const FACTS_REFERENCES = 4 // u32
export const FACTS_SAFE = 8 // u32: the same entries behind the wall, a RECORD of its own; 0 = none
export const FACTS_SAFE_BYTES = 12 // u32: bytes given to alloc() for it
export const FACTS_RAW = 16 // RECORD of raw values

// Record: what stands behind the privacy wall. A header, then entries in ascending field id.
export const RECORD_LENGTH = 0 // u32: bytes of the record, header included
export const RECORD_KIND = 4 // u16: KIND_*
export const RECORD_COUNT = 6 // u16: entries
export const RECORD_ENTRIES = 8
export const ENTRY_FIELD = 0 // u16: field id (src/exchange/fields.ts)
export const ENTRY_TYPE = 2 // u8: TYPE_*
export const ENTRY_FLAGS = 3 // u8: ENTRY_FLAG_*
export const ENTRY_LENGTH = 4 // u32: payload bytes; the next entry starts at the next multiple of 8
export const ENTRY_PAYLOAD = 8
export const ENTRY_FLAG_REDACTED = 1
export const ENTRY_FLAG_HASHED = 2
export const KIND_EXCHANGE = 1
export const KIND_CONNECTION = 2
export const KIND_PACKET = 3
export const KIND_ANOMALY = 4
export const KIND_WEBSOCKET = 5
export const KIND_HANDSHAKE = 6
export const TYPE_STRING = 1 // bytes; not valid UTF-8 = Latin-1
export const TYPE_INT = 2 // i64
export const TYPE_SECONDS = 3 // i64 nanoseconds, shown as seconds
export const TYPE_TIME = 4 // i64 epoch nanoseconds, shown as RFC 3339
export const TYPE_ADDRESS = 5 // u8 version, 3 bytes 0, 16 bytes address
export const TYPE_MAC = 6 // 6 bytes
export const TYPE_HEADERS = 7 // u32 count, then per field: u16 name length, u16 flags, u32 value length, name (lower case), value; each padded to 4
export const TYPE_STRINGS = 8 // u32 count, then per item: u32 length, bytes; each padded to 4
export const TYPE_BOOL = 9 // u8
export const TYPE_MARKS = 10 // u32 count, then per mark: u16 field id, u16 reason id
export const TYPE_INTS = 11 // u32 count, then i64 each, from payload + 8
