/** One header and what is in it, of a packet to be built. */
export interface Layer {
  /** EtherType by which Ethernet, GRE and the like announce it; 0 = not by one. */
  readonly ethertype: number
  /** IP protocol by which IP announces it; -1 = not by one. */
  readonly protocol: number
  /**
   * Its bytes.
   *
   * @param pseudoHeader sum of the addresses above it in 16-bit words, for TCP, UDP and ICMPv6
   */
  encode(pseudoHeader: number): Uint8Array
}

export const NO_PROTOCOL = -1

/** Bytes as they are. */
export function raw(
  bytes: Uint8Array | string,
  announced: { ethertype?: number; protocol?: number } = {},
): Layer {
  const copy = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
  return {
    ethertype: announced.ethertype ?? 0,
    protocol: announced.protocol ?? NO_PROTOCOL,
    encode: () => copy,
  }
}

/** The bytes of a packet: its outermost layer and all in it. */
export function encode(layer: Layer): Uint8Array {
  return layer.encode(0)
}

/** `header`, then `body`. */
export function join(header: Uint8Array, body: Uint8Array): Uint8Array {
  return Buffer.concat([header, body])
}
