import { HEAD_ERROR_CUT, HEAD_ERROR_STATUS, HEAD_ERROR_TOO_LONG, HEAD_ERROR_VERSION } from '../../../wasm/head-contract.ts'

/** What may be wrong with an HTTP/1 connection: the names under which it is counted. */
export const HTTP1_ANOMALY = {
  /** The bytes where a message should begin are no request line or status line. */
  startLine: 'http1_start_line',
  /** The first line names another protocol or a version that cannot be read. */
  version: 'http1_version',
  /** The status code is not three digits. */
  status: 'http1_status',
  /** A head or trailer section without end within its bound. */
  headTooLong: 'http1_head_too_long',
  /** The connection ended inside a head: it is not in the log. */
  headCut: 'http1_head_cut',
  /** Content-Length is no number, or two differ: where the message ends cannot be known. */
  length: 'http1_length',
  /** A chunk-size line that cannot be read. */
  chunkSize: 'http1_chunk_size',
  /** A chunk's data do not end where its size says. */
  chunkEnd: 'http1_chunk_end',
  /** Bytes are missing where framing needs them; the side waits for the next message start. */
  framingLost: 'http1_framing_lost',
  /** A response came although no request waited for one. */
  responseUnasked: 'http1_response_unasked',
  /** A message followed one that said it was the last. */
  dataAfterClose: 'http1_data_after_close',
  /** More requests wait for a response than are kept; the oldest was given up. */
  outstanding: 'http1_outstanding_over_bound',
  /** The endpoint that opened the connection answers on it. */
  rolesReversed: 'http1_roles_reversed',
  /** A response without a head, to an HTTP/0.9 request. */
  simpleResponse: 'http1_simple_response',
  /** More bytes came after an upgrade request than are held until its answer is known. */
  heldTooLong: 'http1_held_too_long',
  /** The shared memory's limit refused room for a head that came in parts. */
  memoryLimit: 'http1_memory_limit',
} as const
export type Http1Anomaly = (typeof HTTP1_ANOMALY)[keyof typeof HTTP1_ANOMALY]

/** The name of a scan's HEAD_ERROR_* (wasm/head-contract.ts). */
export function anomalyOf(result: number): Http1Anomaly {
  switch (result) {
    case HEAD_ERROR_VERSION: return HTTP1_ANOMALY.version
    case HEAD_ERROR_STATUS: return HTTP1_ANOMALY.status
    case HEAD_ERROR_CUT:
    case HEAD_ERROR_TOO_LONG: return HTTP1_ANOMALY.headTooLong
    default: return HTTP1_ANOMALY.startLine
  }
}
