import { addWords } from '../../../lib/pcap/mod.ts'

/**
 * The pseudo header of TCP, UDP and ICMPv6: addresses, length, protocol (RFC 9293 section 3.1, RFC 8200
 * section 8.1).
 */
export function pseudoHeader(
  u8: Uint8Array,
  ipAt: number,
  version: number,
  protocol: number,
  length: number,
): number {
  const addresses = version === 4 ? addWords(u8, ipAt + 12, 8, 0) : addWords(u8, ipAt + 8, 32, 0)
  return addresses + protocol + (length & 0xffff) + (length >>> 16)
}
