/**
 * Packets for tests and benches: layers nested as they are on the wire, with right lengths and checksums.
 *
 *     encode(ethernet({}, vlan(5, ipv4({}, tcp({ sourcePort: 40000, destinationPort: 80 }, raw('GET /'))))))
 */
export { encode, raw, type Layer } from './layer.ts'
export { ethernet, ETHERTYPE_PROVIDER_VLAN, ETHERTYPE_VLAN, mpls, pppoe, vlan } from './builder-link.ts'
export type { EthernetFields } from './builder-link.ts'
export {
  extension, fragmentHeader, geneve, gre, gtpu, ipv4, ipv4Fragments, ipv6, ipv6Fragments, vxlan,
} from './builder-internet.ts'
export type { GreFields, Ipv4Fields, Ipv6Fields } from './builder-internet.ts'
export { icmp, synOptions, tcp, TCP_FLAG, udp } from './builder-transport.ts'
export type { TcpFields, UdpFields } from './builder-transport.ts'
export { TcpConversation } from './tcp-conversation.ts'
export type { ConversationOptions, Segment } from './tcp-conversation.ts'
