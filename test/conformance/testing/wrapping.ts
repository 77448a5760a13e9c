import {
  encode, ethernet, ETHERTYPE_PROVIDER_VLAN, extension, geneve, gre, gtpu, ipv4, ipv4Fragments, ipv6, ipv6Fragments, mpls,
  pppoe, udp, vlan, vxlan,
} from '../../../lib/pcap/builder.ts'
import type { Layer } from '../../../lib/pcap/builder.ts'
import { ipLayer } from './trace.ts'
import type { IpPacket, Wrapping } from './trace.ts'

const OUTER = { source: '192.0.2.1', destination: '192.0.2.2' }
const OUTER_V6 = { source: '2001:db8::1', destination: '2001:db8::2' }

function frame(inner: Layer): Uint8Array[] {
  return [encode(ethernet({}, inner))]
}

function inUdp(port: number, inner: Layer): Layer {
  return ipv4(OUTER, udp({ sourcePort: 50_000, destinationPort: port }, inner))
}

export const plain: Wrapping = (packet) => frame(ipLayer(packet))

/** Every link and tunnel that the agent takes off, by name. */
export const TUNNELS: ReadonlyMap<string, Wrapping> = new Map<string, Wrapping>([
  ['802.1Q', (packet) => frame(vlan(5, ipLayer(packet)))],
  ['QinQ', (packet) => frame(vlan(7, vlan(5, ipLayer(packet)), ETHERTYPE_PROVIDER_VLAN))],
  ['MPLS', (packet) => frame(mpls([100, 200], ipLayer(packet)))],
  ['PPPoE', (packet) => frame(pppoe(3, ipLayer(packet)))],
  ['GRE', (packet) => frame(ipv4(OUTER, gre({}, ipLayer(packet))))],
  ['GRE with key, sequence and checksum', (packet) => frame(ipv4(OUTER, gre({ key: 9, sequence: packet.index, checksum: true }, ipLayer(packet))))],
  ['GRE with Ethernet', (packet) => frame(ipv4(OUTER, gre({}, ethernet({}, ipLayer(packet)))))],
  ['GRE in IPv6', (packet) => frame(ipv6(OUTER_V6, gre({}, ipLayer(packet))))],
  ['VXLAN', (packet) => frame(inUdp(4789, vxlan(9, ethernet({}, ipLayer(packet)))))],
  ['VXLAN in a VLAN', (packet) => frame(vlan(5, inUdp(4789, vxlan(9, ethernet({}, ipLayer(packet))))))],
  ['Geneve with options', (packet) => frame(inUdp(6081, geneve(9, ethernet({}, ipLayer(packet)), new Uint8Array(8))))],
  ['GTP-U', (packet) => frame(inUdp(2152, gtpu(77, ipLayer(packet))))],
  ['IP in IPv4', (packet) => frame(ipv4(OUTER, ipLayer(packet)))],
  ['IP in IPv6', (packet) => frame(ipv6(OUTER_V6, ipLayer(packet)))],
  ['IP in IPv6 with extension headers', (packet) => frame(ipv6(OUTER_V6, extension(0, new Uint8Array(6), ipLayer(packet))))],
  ['GRE in VXLAN in QinQ', (packet) => frame(vlan(7, vlan(5,
    inUdp(4789, vxlan(9, ethernet({}, ipv4(OUTER, gre({}, ipLayer(packet))))))), ETHERTYPE_PROVIDER_VLAN))],
])

/** The packet in IP fragments of at most `bytes` of payload, in the order that `order` makes of them. */
export function fragments(bytes: number, order: (frames: Uint8Array[]) => Uint8Array[] = (frames) => frames): Wrapping {
  return ({ version, source, destination, inner, index }: IpPacket) => {
    const layers = version === 4 ? ipv4Fragments({ source, destination, identification: index & 0xffff }, inner, bytes)
      : ipv6Fragments({ source, destination }, index, inner, bytes)
    return order(layers.flatMap(frame))
  }
}

/** VXLAN whose own IP packets are fragmented, as on a path with a smaller MTU. */
export const fragmentedVxlan: Wrapping = (packet) =>
  ipv4Fragments({ ...OUTER, identification: packet.index & 0xffff },
    udp({ sourcePort: 50_000, destinationPort: 4789 }, vxlan(9, ethernet({}, ipLayer(packet)))), 256).flatMap(frame)
