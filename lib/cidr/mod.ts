/**
 * cidr: IP networks as people write them.
 *
 * In    `10.0.0.0/8`, `2001:db8::/32`, a single address.
 * Out   prefix length and address bytes in network order; errors name the text and a form that is right.
 *
 * @module
 */
export { formatAddress, ipv6Bytes, parseCidr } from './cidr.ts'
export type { Cidr } from './cidr.ts'
