/** What may be wrong with an HTTP/2 connection: the names under which it is counted. */
export const HTTP2_ANOMALY = {
  /** The client's first bytes are not the preface (RFC 9113 3.4). */
  preface: 'http2_preface',
  /** The server answers the preface in HTTP/1: it does not speak HTTP/2. */
  otherAnswer: 'http2_other_answer',
  /** A frame breaks the rules of its type: its stream, its length, its padding (RFC 9113 6). It is passed over. */
  frame: 'http2_frame',
  /** A frame of more bytes than the receiver ever allowed. */
  frameTooLong: 'http2_frame_too_long',
  /** Bytes are missing where framing needs them; the side waits for frames that are certain. */
  framingLost: 'http2_framing_lost',
  /** A frame stands inside a header block (RFC 9113 6.10), or the connection ended there: the block is lost. */
  blockCut: 'http2_block_cut',
  /** A header block of more bytes than are kept, or of endless CONTINUATION frames: it is lost. */
  blockTooLong: 'http2_block_too_long',
  /** A header block that cannot be decoded (RFC 7541): its message is malformed, and no older table entry is trusted. */
  compression: 'http2_compression',
  /** An index that no entry of the whole table has. */
  tableIndex: 'http2_table_index',
  /** A table size update over what the receiver ever allowed. */
  tableSize: 'http2_table_size',
  /** Header blocks with fields that name table entries from before the capture began, or before a loss. */
  fieldUnknown: 'http2_field_unknown',
  /** A header block that may be a head or a trailer section: not enough of it is known. */
  blockUnclear: 'http2_block_unclear',
  /** A header block without what its place asks for (RFC 9113 8.1). */
  blockMisplaced: 'http2_block_misplaced',
  /** A stream identifier that was used before, or is not its sender's to use (RFC 9113 5.1.1). */
  streamIdentifier: 'http2_stream_identifier',
  /** More streams are open than are kept; the oldest was given up. */
  streams: 'http2_streams_over_bound',
  /** Requests that were reset before their response, beyond so many on a connection (CVE-2023-44487). */
  rapidReset: 'http2_rapid_reset',
  /** GOAWAY with an error. */
  goaway: 'http2_goaway_error',
  /** What the source left out is no payload of DATA as far as the frames are known here: it must not do so again. */
  leftOut: 'http2_left_out',
  /** The shared memory's limit refused room for a block in parts, or for a table. */
  memoryLimit: 'http2_memory_limit',
} as const
export type Http2Anomaly = (typeof HTTP2_ANOMALY)[keyof typeof HTTP2_ANOMALY]
