/**
 * dissect: one raw frame to one packet event.
 *
 * In    a frame in the shared memory, its link type, and what is known beside its bytes (FrameMeta).
 * Out   a framed struct packet_event with the payload of the innermost TCP, UDP, ICMP or other protocol, or
 *       none.
 * Drops what holds no IP, what is malformed, fragments that never become whole: each under a name of
 *       DISSECT_OUTCOME. Oddities that stop nothing are counted in DISSECT_ANOMALY.
 * Limits 16 headers deep, 1,024 datagrams and 8 MiB of fragments for 30 s, 64 KiB of payload in a record.
 *
 * @module
 */
export { DISSECT_ANOMALY } from './anomaly.ts'
export { Counts } from './counts.ts'
export { Dissector, type DissectorOptions } from './dissector.ts'
export { ETHERTYPE } from './ethertype-number.ts'
export { FrameMeta } from './frame-meta.ts'
export { IP_PROTOCOL } from './ip-protocol.ts'
export { LAYER } from './layer.ts'
export { LINK_TYPE } from './link.ts'
export { DISSECT_OUTCOME, FIRST_LOSS } from './outcome.ts'
export { PORT_TUNNEL, TUNNEL_PORTS_DEFAULT, TunnelPorts } from './tunnel-port.ts'
export { PROTOCOL_BIT } from './walk.ts'
