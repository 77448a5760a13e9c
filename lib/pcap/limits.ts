/**
 * The most any capture tool takes from one packet (MAXIMUM_SNAPLEN of libpcap,
 * WTAP_MAX_PACKET_SIZE_STANDARD).
 */
export const PACKET_BYTES_MAX = 262_144

/** Interfaces remembered per file. */
export const INTERFACES_MAX = 4096

/** Bytes of a block that is to be had whole: the largest packet, and room for its options. */
export const BLOCK_BYTES_MAX = 290_000

/** Bytes looked at in a pcapng interface block; its options lie in the first few dozen. */
export const INTERFACE_BLOCK_BYTES_MAX = 65_536
