/**
 * Where this decoder differs from the parsers whose vectors it is measured on, and why. A vector that is named here must
 * differ: one that agrees is to be taken off the list.
 */
export interface Difference {
  /** Name of the vector, after its file. */
  readonly vector: string
  readonly why: string
  /** The vector ends inside a head that is refused as soon as the rest of it comes: the verdict is later, not other. */
  readonly isLater?: true
}

const later = (vector: string): Difference =>
  ({ vector, why: 'a head is judged when it is whole; this one ends before that', isLater: true })
const openMethods = 'methods are an open set of tokens (RFC 9110 9.1); llhttp knows a list'
const otherProtocol = 'another protocol with a first line like that of HTTP'
const bareCr = 'a CR alone ends no line (RFC 9112 2.2); it is a byte of the line, and named'
const oldVersion = 'read alike, but a version before 1.0 is named odd'

export const LLHTTP_DIFFERENCES: readonly Difference[] = [
  later('request/content-length.md: Error on `Content-Length` overflow'),
  later('request/content-length.md: Error on duplicate `Content-Length`'),
  later('request/invalid.md: Invalid HTTP version'),
  later('request/invalid.md: Invalid space after start line'),
  later('request/lenient-header-value-relaxed.md: Space after start line must still fail'),
  later('response/invalid.md: Invalid space after start line'),
  { vector: 'request/invalid.md: HTTP protocol and ANNOUNCE method', why: openMethods },
  { vector: 'request/invalid.md: Invalid method', why: openMethods },
  { vector: 'request/method.md: SOURCE request with ICE', why: otherProtocol },
  { vector: 'request/method.md: OPTIONS request with RTSP', why: otherProtocol },
  { vector: 'request/method.md: ANNOUNCE request with RTSP', why: otherProtocol },
  { vector: 'response/sample.md: RTSP response', why: otherProtocol },
  { vector: 'response/sample.md: ICE response', why: otherProtocol },
  { vector: 'request/lenient-headers.md: Header value / Empty headers separated by CR (lenient)', why: bareCr },
  { vector: 'request/sample.md: No LF after CR (lenient)', why: bareCr },
  {
    vector: 'request/transfer-encoding.md: Invalid OBS fold after chunked value / Chunk header not terminated by CRLF (lenient)',
    why: bareCr,
  },
  { vector: 'response/invalid.md: Bare CR after response line (lenient)', why: bareCr },
  { vector: 'request/sample.md: No HTTP version', why: oldVersion },
  { vector: 'response/sample.md: HTTP version 0.9', why: oldVersion },
  {
    vector: 'request/content-length.md: Content-Length reset when no body is received',
    why: 'needs llhttp to be told that the request has no body, which nothing on the wire tells',
  },
  {
    vector: 'request/sample.md: 255 ASCII in header value',
    why: 'the log counts U+00FF as the two bytes of its UTF-8 form; the input holds one',
  },
  {
    vector: 'request/invalid.md: Invalid space after start line / Only LFs present (lenient)',
    why: 'the empty line after the last chunk ends the message; llhttp with every leniency reads trailers behind it',
  },
]

export const PICOHTTPPARSER_DIFFERENCES: readonly Difference[] = [
  {
    vector: 'test_request: accept MSB chars',
    why: 'a target holds visible ASCII only (RFC 3986 2): taken, and named; llhttp refuses it too',
  },
  later('test_headers: error'),
]
