/** Fields of an exchange that come from its CONNECTION block. `client` is the side of the client, 255 = not known. */
import { FIELD_CLIENT_ADDRESS, FIELD_CLIENT_PORT, FIELD_IP_DSCP, FIELD_IP_ECN, FIELD_IP_OPTIONS, FIELD_IP_TTL,
  FIELD_LINK_DESTINATION_MAC, FIELD_LINK_SOURCE_MAC, FIELD_LINK_TYPE, FIELD_LINK_VLAN, FIELD_NETWORK_CONNECTION_ID,
  FIELD_NETWORK_HOOK, FIELD_NETWORK_INTERFACE_NAME, FIELD_NETWORK_TRANSPORT, FIELD_NETWORK_TYPE, FIELD_SERVER_ADDRESS,
  FIELD_SERVER_PORT, FIELD_TCP_FLAGS, FIELD_TCP_HANDSHAKE_DURATION, FIELD_TCP_MSS, FIELD_TCP_RESETS,
  FIELD_TCP_RETRANSMISSIONS, FIELD_TCP_WINDOW, FIELD_TUNNEL_ID, FIELD_TUNNEL_TYPE,
} from './field-ids.gen'
import { writeU32 } from './digits'
import { interfaceName, interfaceNameLength } from './interface-names'
import { CONNECTION_ADDRESS, CONNECTION_ETHERTYPE, CONNECTION_FLAGS, CONNECTION_FLAG_IP_OPTIONS, CONNECTION_FLAG_LINK,
  CONNECTION_FLAG_NO_PACKETS,
  CONNECTION_HANDSHAKE, CONNECTION_HOOK, CONNECTION_ID, CONNECTION_INTERFACE, CONNECTION_IP_VERSION, CONNECTION_PORT,
  CONNECTION_SIDE, CONNECTION_SIDE_BYTES, CONNECTION_TRANSPORT, CONNECTION_TUNNEL, CONNECTION_TUNNEL_ID, CONNECTION_VLAN,
  CONNECTION_VLAN_COUNT, SIDE_MAC, SIDE_MSS, SIDE_PACKETS, SIDE_RESETS, SIDE_RETRANSMISSIONS, SIDE_TCP_FLAGS, SIDE_TOS,
  SIDE_TTL, SIDE_WINDOW, SIDE_WINDOW_SCALE, TYPE_INTS,
} from './layout'
import { closeEntry, openEntry, putAddress, putBool, putInt, putMac, putOwnText, putSeconds, putWord, wants } from './record'
import { pack, packWords, packedLength } from './short-text'

const IPV4 = pack('ipv4')
const IPV6 = pack('ipv6')
const TCP = pack('tcp')
const UDP = pack('udp')
const ICMP = pack('icmp')
const ICMPV6 = pack('icmpv6')
const SCTP = pack('sctp')
const PROTOCOL_TCP: u32 = 6

const HOOKS: usize = packWords('file tcx clsact xdp socket cgroup uprobe', memory.data(7 * 8))
const HOOK_COUNT: u32 = 7
const TUNNELS: usize = packWords('vxlan geneve gre ipip gtpu mpls pppoe teredo other', memory.data(9 * 8))
const TUNNEL_COUNT: u32 = 9
const TCP_FLAG_NAMES: usize = packWords('FIN SYN RST PSH ACK URG ECE CWR AE', memory.data(9 * 8))
const TCP_FLAG_COUNT: u32 = 9

const scratch: usize = memory.data(64)

// @ts-ignore: decorator
@inline
function addressOf(connection: usize, side: u32): usize {
  return connection + CONNECTION_ADDRESS + side * 16
}

// @ts-ignore: decorator
@inline
function sideOf(connection: usize, side: u32): usize {
  return connection + CONNECTION_SIDE + side * CONNECTION_SIDE_BYTES
}

// @ts-ignore: decorator
@inline
function portOf(connection: usize, side: u32): i64 {
  return <i64>load<u16>(connection + CONNECTION_PORT + side * 2)
}

export function putClient(connection: usize, client: u32): void {
  if (client > 1 || load<u8>(connection, CONNECTION_IP_VERSION) == 0) return
  putAddress(FIELD_CLIENT_ADDRESS, load<u8>(connection, CONNECTION_IP_VERSION), addressOf(connection, client))
  putInt(FIELD_CLIENT_PORT, portOf(connection, client))
}

export function putServer(connection: usize, client: u32): void {
  if (client > 1 || load<u8>(connection, CONNECTION_IP_VERSION) == 0) return
  putAddress(FIELD_SERVER_ADDRESS, load<u8>(connection, CONNECTION_IP_VERSION), addressOf(connection, 1 - client))
  putInt(FIELD_SERVER_PORT, portOf(connection, 1 - client))
}

function putTransport(protocol: u32): void {
  if (protocol == 6) return putWord(FIELD_NETWORK_TRANSPORT, TCP)
  if (protocol == 17) return putWord(FIELD_NETWORK_TRANSPORT, UDP)
  if (protocol == 1) return putWord(FIELD_NETWORK_TRANSPORT, ICMP)
  if (protocol == 58) return putWord(FIELD_NETWORK_TRANSPORT, ICMPV6)
  if (protocol == 132) return putWord(FIELD_NETWORK_TRANSPORT, SCTP)
  putOwnText(FIELD_NETWORK_TRANSPORT, scratch, <u32>(writeU32(protocol, scratch) - scratch))
}

/** network.type to network.interface.name. */
export function putNetwork(connection: usize): void {
  const version = load<u8>(connection, CONNECTION_IP_VERSION)
  if (version == 4 || version == 6) putWord(FIELD_NETWORK_TYPE, version == 6 ? IPV6 : IPV4)
  putTransport(load<u8>(connection, CONNECTION_TRANSPORT))
  if (!wants(FIELD_NETWORK_INTERFACE_NAME)) return
  const name = interfaceName(load<u32>(connection, CONNECTION_INTERFACE))
  if (name != 0) putOwnText(FIELD_NETWORK_INTERFACE_NAME, name, interfaceNameLength(name))
}

/** network.connection.id and network.hook. */
export function putConnection(connection: usize): void {
  putInt(FIELD_NETWORK_CONNECTION_ID, load<u32>(connection, CONNECTION_ID))
  const hook = <u32>load<u8>(connection, CONNECTION_HOOK)
  if (hook < HOOK_COUNT) putWord(FIELD_NETWORK_HOOK, load<u64>(HOOKS + hook * 8))
}

function putLinkType(ethertype: u32): void {
  if (!wants(FIELD_LINK_TYPE)) return
  store<u16>(scratch, 0x7830) // 0x
  for (let index: u32 = 0; index < 4; index++) {
    const digit = (ethertype >> (12 - index * 4)) & 15
    store<u8>(scratch + 2 + index, <u8>(digit < 10 ? 0x30 + digit : 0x57 + digit))
  }
  putOwnText(FIELD_LINK_TYPE, scratch, 6)
}

function putVlans(connection: usize): void {
  const count = min<u32>(load<u8>(connection, CONNECTION_VLAN_COUNT), 2)
  if (count == 0 || !wants(FIELD_LINK_VLAN)) return
  const payload = openEntry(FIELD_LINK_VLAN, TYPE_INTS, 24)
  if (payload == 0) return
  store<u64>(payload, count)
  for (let index: u32 = 0; index < count; index++) {
    store<i64>(payload + 8 + index * 8, <i64>load<u16>(connection + CONNECTION_VLAN + index * 2) & 0xfff)
  }
  closeEntry(8 + count * 8, 0)
}

/** link.* and tunnel.*. */
export function putLink(connection: usize, client: u32): void {
  if ((load<u8>(connection, CONNECTION_FLAGS) & CONNECTION_FLAG_LINK) != 0) {
    if (client < 2) {
      const server = sideOf(connection, 1 - client)
      const own = sideOf(connection, client)
      if (load<u32>(own, SIDE_PACKETS) != 0) putMac(FIELD_LINK_SOURCE_MAC, own + SIDE_MAC)
      if (load<u32>(server, SIDE_PACKETS) != 0) putMac(FIELD_LINK_DESTINATION_MAC, server + SIDE_MAC)
    }
    putLinkType(load<u16>(connection, CONNECTION_ETHERTYPE))
    putVlans(connection)
  }
  const tunnel = <u32>load<u8>(connection, CONNECTION_TUNNEL) - 1
  if (tunnel >= TUNNEL_COUNT) return
  putWord(FIELD_TUNNEL_TYPE, load<u64>(TUNNELS + tunnel * 8))
  putInt(FIELD_TUNNEL_ID, load<u32>(connection, CONNECTION_TUNNEL_ID))
}

/** ip.*: of the client's packets, when any was seen. */
export function putIp(connection: usize, client: u32): void {
  if ((load<u8>(connection, CONNECTION_FLAGS) & CONNECTION_FLAG_NO_PACKETS) != 0) return
  if (client < 2 && load<u32>(sideOf(connection, client), SIDE_PACKETS) != 0) {
    const side = sideOf(connection, client)
    putInt(FIELD_IP_TTL, load<u8>(side, SIDE_TTL))
    putInt(FIELD_IP_DSCP, load<u8>(side, SIDE_TOS) >> 2)
    putInt(FIELD_IP_ECN, load<u8>(side, SIDE_TOS) & 3)
  }
  putBool(FIELD_IP_OPTIONS, (load<u8>(connection, CONNECTION_FLAGS) & CONNECTION_FLAG_IP_OPTIONS) != 0)
}

function putTcpFlags(flags: u32): void {
  if (flags == 0 || !wants(FIELD_TCP_FLAGS)) return
  let at = scratch
  for (let bit: u32 = 0; bit < TCP_FLAG_COUNT; bit++) {
    if ((flags >> bit & 1) == 0) continue
    if (at != scratch) store<u8>(at++, 0x2c)
    const name = load<u64>(TCP_FLAG_NAMES + bit * 8)
    store<u64>(at, name)
    at += packedLength(name)
  }
  putOwnText(FIELD_TCP_FLAGS, scratch, <u32>(at - scratch))
}

/** RFC 7323 2.2: windows are scaled only when both sides sent the option, by at most 14 bits. */
function scaledWindow(side: usize, peer: usize): i64 {
  const window = <i64>load<u16>(side, SIDE_WINDOW)
  const scale = <u32>load<u8>(side, SIDE_WINDOW_SCALE)
  if (scale == 255 || load<u8>(peer, SIDE_WINDOW_SCALE) == 255) return window
  return window << min<u32>(scale, 14)
}

export function putTcp(connection: usize, client: u32): void {
  if (load<u8>(connection, CONNECTION_TRANSPORT) != PROTOCOL_TCP) return
  if ((load<u8>(connection, CONNECTION_FLAGS) & CONNECTION_FLAG_NO_PACKETS) != 0) return
  const first = sideOf(connection, 0)
  const second = sideOf(connection, 1)
  putTcpFlags(load<u16>(first, SIDE_TCP_FLAGS) | load<u16>(second, SIDE_TCP_FLAGS))
  const handshake = load<f64>(connection, CONNECTION_HANDSHAKE)
  if (handshake >= 0) putSeconds(FIELD_TCP_HANDSHAKE_DURATION, <i64>handshake)
  putInt(FIELD_TCP_RETRANSMISSIONS, <i64>load<u32>(first, SIDE_RETRANSMISSIONS) + load<u32>(second, SIDE_RETRANSMISSIONS))
  putInt(FIELD_TCP_RESETS, <i64>load<u32>(first, SIDE_RESETS) + load<u32>(second, SIDE_RESETS))
  if (client > 1 || load<u32>(sideOf(connection, client), SIDE_PACKETS) == 0) return
  const side = sideOf(connection, client)
  putInt(FIELD_TCP_WINDOW, scaledWindow(side, sideOf(connection, 1 - client)))
  if (load<u16>(side, SIDE_MSS) != 0) putInt(FIELD_TCP_MSS, load<u16>(side, SIDE_MSS))
}
