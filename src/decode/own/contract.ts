/**
 * What a decoder of your own is: a module whose default export is a `Decoder`. docs/decoders.md explains it with an example.
 *
 * These types are all that such a module needs of Lintel; at run time it needs nothing.
 *
 * @module
 */

/** Who sent the bytes: the server is the side whose port the decoder names. */
export type DecoderSide = 'client' | 'server'

/** A protocol. */
export interface Decoder {
  /** Becomes `network.protocol.name`: 1 to 32 lower-case letters, digits, "-", "_" and ".", not "http" or "websocket". */
  readonly name: string
  /** Ports of its servers, 1 to 64 of them. No other connection is ever shown to the decoder. */
  readonly ports: readonly number[]
  /** Bytes that `detect` needs at most to decide, 1 to 1,024; default 64. */
  readonly detectBytes?: number
  /**
   * Whether the first bytes of a side are this protocol's. `more` asks again with more bytes, up to `detectBytes`. Called only for
   * connections whose beginning was seen.
   */
  detect(bytes: Uint8Array, side: DecoderSide): 'yes' | 'no' | 'more'
  /** A connection that `detect` took. */
  open(connection: DecoderConnection): DecoderHandler
}

/** What the decoder is given for a connection. */
export interface DecoderConnection {
  /** `network.connection.id`. */
  readonly id: number
  /**
   * One message of the side whose call this is made in. Each correlated request and its response make one record.
   *
   * @throws {TypeError} when the message is none; not caught, it ends the connection as any other failure does
   */
  message(message: DecodedMessage): void
}

/** What the decoder makes for a connection. All calls are made one at a time, in the order of the stream of each side. */
export interface DecoderHandler {
  /**
   * Bytes of one side, a copy. Gives the number of them that it is done with. Those behind are given again, in front of what comes
   * next (262,144 bytes at most). A number greater than `bytes.length` leaves out what follows: a body is best passed over so, and
   * the last message of this call is over when it has gone by.
   */
  data(side: DecoderSide, bytes: Uint8Array): number
  /** `length` bytes of the side are missing, 0 = an unknown number. Without this method the connection is given up there. */
  gap?(side: DecoderSide, length: number): void
  /** Nothing more comes of this side. */
  end?(side: DecoderSide): void
}

/** One request or response. */
export interface DecodedMessage {
  readonly kind: 'request' | 'response'
  /** What a response has in common with its request while that is open; without it the message stands alone. */
  readonly correlation?: string | number | bigint
  /** Of a request: what it asks for, e.g. `GET` or `orders.create`. */
  readonly method?: string
  /** Of a request: on what. */
  readonly path?: string
  /** Of a response. */
  readonly status?: string | number
  /** Names and values, at most 8,192 fields and 262,144 bytes. Judged by their names, like those of HTTP. */
  readonly headers?: Iterable<readonly [name: string, value: string | Uint8Array]>
  /** Size of the body, where it is known. */
  readonly bodyBytes?: number
}
