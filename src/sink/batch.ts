/** Index into `SafeBatch.kinds`: the record kinds of wasm/layout.ts (1 exchange, 2 connection, 3 packet, 4 anomaly, 5 websocket, 6 handshake). */
export const BATCH_KINDS = ['exchange', 'connection', 'packet', 'anomaly', 'websocket', 'handshake'] as const

/**
 * Records behind the privacy wall, ready to be written: whole NDJSON lines.
 *
 * A batch is settled once by each sink that was given it; nobody keeps or reads `bytes` after that, because the buffer
 * goes back to the worker that made it.
 */
export interface SafeBatch {
  /** Whole lines, each ended by LF. Never empty. */
  readonly bytes: Uint8Array
  /** Lines in `bytes`. */
  readonly count: number
  /** Records of each kind, in the order of BATCH_KINDS; the sum is `count`. */
  readonly kinds: readonly [exchange: number, connection: number, packet: number, anomaly: number, websocket: number, handshake: number]
  /**
   * Bit n is set when the records are for output n. A record stands in one batch only, so that it is counted once: those
   * that other outputs want than the record before go into another batch.
   */
  readonly outputs: number
}

/** Buffers of batches that are kept for the next ones; what a burst or a slow output needs besides is let go. */
export const FREE_BUFFERS_MAX = 4

const LF = 10

/** Offset behind the last LF in `bytes[0, end)`; 0 when there is none. */
export function endOfLastLine(bytes: Uint8Array, end: number): number {
  return end === 0 ? 0 : bytes.lastIndexOf(LF, end - 1) + 1
}

/** LFs in `bytes[start, end)`. */
export function countLines(bytes: Uint8Array, start: number, end: number): number {
  let count = 0
  for (let at = bytes.indexOf(LF, start); at !== -1 && at < end; at = bytes.indexOf(LF, at + 1)) count++
  return count
}
