/** Bounds of the connection stage. Times are milliseconds of packet time. */
export interface ConnectionLimits {
  /** Connections in the table at once; the next one evicts. */
  connectionCountMax: number
  /** Bytes held for one side while a segment before them is missing, their bookkeeping included. */
  bufferBytesMax: number
  /** The same for all connections together. */
  bufferBytesTotalMax: number
  /** Pieces held for one side: bounds the cost of one insertion. */
  segmentCountMax: number
  idleMsMax: number
  /** A SYN without answer. */
  halfOpenMsMax: number
  /** How long a finished connection is remembered, so that late packets do not make a new one. */
  closingMsMax: number
  /** A hole that neither fills nor is explained: longer than a few TCP retransmission timeouts (RFC 6298). */
  waitMsMax: number
  /** A hole that the peer has acknowledged, besides `acknowledgedPacketsMax`. */
  acknowledgedMsMax: number
  /** Packets of the connection after that acknowledgement: a capture may show the ACK before the data. */
  acknowledgedPacketsMax: number
  /** A missing record number, besides `recordsMax`: two CPUs may swap records. */
  recordMsMax: number
  /** Silence of a side's home path before another path takes its place. */
  homeSilentMsMax: number
  /** Connections at rest, the last that came to it, that keep their parts ready; the others sleep (RestQueue). At least 1. */
  awakeCountMax: number
}

export const CONNECTION_LIMITS: Readonly<ConnectionLimits> = {
  connectionCountMax: 131_072,
  bufferBytesMax: 1 << 20,
  bufferBytesTotalMax: 32 << 20,
  segmentCountMax: 1024,
  idleMsMax: 600_000,
  halfOpenMsMax: 30_000,
  closingMsMax: 5_000,
  waitMsMax: 5_000,
  acknowledgedMsMax: 500,
  acknowledgedPacketsMax: 8,
  recordMsMax: 50,
  homeSilentMsMax: 1_000,
  awakeCountMax: 2_048,
}
