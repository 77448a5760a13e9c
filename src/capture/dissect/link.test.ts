import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { encode, ethernet, ipv4, ipv6, raw, tcp } from '../../../lib/pcap/builder.ts'
import { DIRECTION_EGRESS, DIRECTION_INGRESS, DIRECTION_UNKNOWN, FLAG_LINK } from '../events.gen.ts'
import { DISSECT_ANOMALY, LAYER, LINK_TYPE } from './mod.ts'
import { BenchTop } from './testing/bench-top.ts'

const upper = tcp({ sourcePort: 40000, destinationPort: 80 }, raw('payload'))
const v4 = encode(ipv4({}, upper))
const v6 = encode(ipv6({}, upper))

function bytes(hexadecimal: string, ...rest: Uint8Array[]): Uint8Array {
  return Buffer.concat([Buffer.from(hexadecimal.replaceAll(' ', ''), 'hex'), ...rest])
}

const SNAP = 'aaaa03 000000 0800'
const WIFI_ADDRESSES = '020000000001 020000000002 020000000003'

/** Frames of each link type that hold one segment, and the direction that they tell. */
const frames: ReadonlyArray<readonly [string, number, Uint8Array, number?]> = [
  ['Ethernet', LINK_TYPE.ETHERNET, encode(ethernet({}, ipv4({}, upper)))],
  ['raw IP', LINK_TYPE.RAW, v4],
  ['raw IP with IPv6', LINK_TYPE.RAW, v6],
  ['raw IP, BSD', LINK_TYPE.RAW_BSD, v4],
  ['raw IP, OpenBSD', LINK_TYPE.RAW_OPENBSD, v6],
  ['IPv4', LINK_TYPE.IPV4, v4],
  ['IPv6', LINK_TYPE.IPV6, v6],
  ['cooked, incoming', LINK_TYPE.LINUX_SLL, bytes('0000 0001 0006 0200000000010000 0800', v4), DIRECTION_INGRESS],
  ['cooked, outgoing', LINK_TYPE.LINUX_SLL, bytes('0004 0001 0006 0200000000010000 86dd', v6), DIRECTION_EGRESS],
  ['cooked with 802.2', LINK_TYPE.LINUX_SLL, bytes('0000 0001 0006 0200000000010000 0004' + SNAP, v4), DIRECTION_INGRESS],
  ['cooked with a VLAN tag', LINK_TYPE.LINUX_SLL, bytes('0000 0001 0006 0200000000010000 8100 0005 0800', v4), DIRECTION_INGRESS],
  ['cooked 2', LINK_TYPE.LINUX_SLL2, bytes('0800 0000 00000003 0001 04 06 0200000000010000', v4), DIRECTION_EGRESS],
  ['loopback, little endian', LINK_TYPE.NULL, bytes('02000000', v4)],
  ['loopback, big endian', LINK_TYPE.NULL, bytes('00000002', v4)],
  ['loopback, macOS IPv6', LINK_TYPE.NULL, bytes('1e000000', v6)],
  ['loopback, OpenBSD', LINK_TYPE.LOOP, bytes('00000018', v6)],
  ['PPP', LINK_TYPE.PPP, bytes('ff03 0021', v4)],
  ['PPP without address', LINK_TYPE.PPP, bytes('0057', v6)],
  ['PPP, compressed', LINK_TYPE.PPP, bytes('21', v4)],
  ['PPP in HDLC', LINK_TYPE.PPP_HDLC, bytes('ff03 0021', v4)],
  ['Cisco HDLC', LINK_TYPE.C_HDLC, bytes('0f00 0800', v4)],
  ['PPPoE', LINK_TYPE.PPP_ETHER, bytes('1100 0001 0036 0021', v4)],
  ['pppd', LINK_TYPE.PPP_PPPD, bytes('0103 0021', v4), DIRECTION_EGRESS],
  ['PPP with direction', LINK_TYPE.PPP_WITH_DIR, bytes('00 ff03 0021', v4), DIRECTION_INGRESS],
  ['Frame Relay', LINK_TYPE.FRELAY, bytes('1841 03 cc', v4)],
  ['Frame Relay, Cisco', LINK_TYPE.FRELAY, bytes('1841 86dd', v6)],
  ['FDDI', LINK_TYPE.FDDI, bytes('50 020000000001 020000000002' + SNAP, v4)],
  ['InfiniBand', LINK_TYPE.IPOIB, bytes('00'.repeat(40) + '0800 0000', v4)],
  ['netfilter log', LINK_TYPE.NFLOG, bytes('02 00 0000 0800 0100 08000001 0500 0a00 61 000000 3300 0900', v4)],
  ['802.11', LINK_TYPE.IEEE802_11, bytes(`0801 0000 ${WIFI_ADDRESSES} 0000` + SNAP, v4)],
  ['802.11 with four addresses and quality', LINK_TYPE.IEEE802_11,
    bytes(`8803 0000 ${WIFI_ADDRESSES} 0000 020000000004 0000` + SNAP, v4)],
  ['radiotap', LINK_TYPE.IEEE802_11_RADIOTAP, bytes(`0000 0900 02000000 10 0801 0000 ${WIFI_ADDRESSES} 0000` + SNAP, v4, bytes('deadbeef'))],
  ['radiotap, padded', LINK_TYPE.IEEE802_11_RADIOTAP,
    bytes(`0000 1100 03000000 0000000000000000 20 8801 0000 ${WIFI_ADDRESSES} 0000 0000 0000` + SNAP, v4)],
  ['AVS', LINK_TYPE.IEEE802_11_AVS, bytes(`80211001 00000010 0000000000000000 0801 0000 ${WIFI_ADDRESSES} 0000` + SNAP, v4)],
  ['Prism', LINK_TYPE.IEEE802_11_PRISM, bytes(`44000000 90000000 ${'00'.repeat(136)} 0801 0000 ${WIFI_ADDRESSES} 0000` + SNAP, v4)],
  ['Frame Relay with SNAP', LINK_TYPE.FRELAY, bytes('1841 0300 80 000000 86dd', v6)],
  ['Frame Relay with PPP', LINK_TYPE.FRELAY, bytes('1841 03 cf 0021', v4)],
  ['token ring', LINK_TYPE.TOKEN_RING, bytes('1040 020000000001 020000000002' + SNAP, v4)],
  ['token ring with a route', LINK_TYPE.TOKEN_RING, bytes('1040 020000000001 820000000002 0630 0011 0020' + SNAP, v4)],
  ['SLIP', LINK_TYPE.SLIP, bytes('00 40' + '00'.repeat(14), v4)],
  ['ATM', LINK_TYPE.ATM_RFC1483, bytes(SNAP, v4)],
  ['ATM, bridged', LINK_TYPE.ATM_RFC1483, bytes('aaaa03 0080c2 0007 0000', encode(ethernet({}, ipv4({}, upper))))],
  ['ATM, routed by NLPID', LINK_TYPE.ATM_RFC1483, bytes('fefe03 cc', v4)],
  ['classical IP over ATM', LINK_TYPE.ATM_CLIP, bytes(SNAP, v4)],
  ['classical IP over ATM, bare', LINK_TYPE.ATM_CLIP, v6],
  ['SunATM', LINK_TYPE.SUNATM, bytes('02 01 0020' + SNAP, v4)],
  ['SunATM, LAN emulation', LINK_TYPE.SUNATM, bytes('01 01 0020 0001', encode(ethernet({}, ipv4({}, upper))))],
  ['OpenBSD IPsec', LINK_TYPE.ENC, bytes('02000000 00000100 00000800', v4)],
  ['packet filter log', LINK_TYPE.PFLOG, bytes('3d 02' + '00'.repeat(62), v4)],
  ['packet filter log, longer', LINK_TYPE.PFLOG, bytes('64 18' + '00'.repeat(98), v6)],
  ['Fibre Channel', LINK_TYPE.IP_OVER_FC, bytes('00'.repeat(16) + SNAP, v4)],
  ['IEEE 1394', LINK_TYPE.APPLE_IP_OVER_IEEE1394, bytes('00'.repeat(16) + '0800', v4)],
  ['Juniper', LINK_TYPE.JUNIPER_ETHER, bytes('4d4743 01', encode(ethernet({}, ipv4({}, upper)))), DIRECTION_INGRESS],
  ['Juniper with extensions', LINK_TYPE.JUNIPER_ETHER, bytes('4d4743 80 0006 020100030101', encode(ethernet({}, ipv4({}, upper)))), DIRECTION_EGRESS],
  ['Juniper without a link', LINK_TYPE.JUNIPER_ETHER, bytes('4d4743 03 00000002', v4), DIRECTION_INGRESS],
  ['Juniper, PPP', LINK_TYPE.JUNIPER_PPP, bytes('4d4743 00 ff03 0057', v6), DIRECTION_EGRESS],
  ['ERF', LINK_TYPE.ERF, bytes('00'.repeat(8) + '02 04 0050 0000 0040 0000', encode(ethernet({}, ipv4({}, upper))))],
  ['ERF with extensions', LINK_TYPE.ERF, bytes('00'.repeat(8) + '82 04 0050 0000 0040' + '84' + '00'.repeat(7) + '04' + '00'.repeat(7) + '0000',
    encode(ethernet({}, ipv4({}, upper))))],
  ['ERF, PPP', LINK_TYPE.ERF, bytes('00'.repeat(8) + '01 04 0050 0000 0040 ff03 0021', v4)],
  ['Solaris IPNET', LINK_TYPE.IPNET, bytes('01 02' + '00'.repeat(22), v4)],
  ['netANALYZER', LINK_TYPE.NETANALYZER, bytes('00000000', encode(ethernet({}, ipv4({}, upper))))],
  ['netANALYZER, transparent', LINK_TYPE.NETANALYZER_TRANSPARENT, bytes('00000000 55555555555555d5', encode(ethernet({}, ipv4({}, upper))))],
  ['mPackets', LINK_TYPE.ETHERNET_MPACKET, bytes('55555555555555d5', encode(ethernet({}, ipv4({}, upper))))],
  ['PKTAP', LINK_TYPE.PKTAP, bytes('2c000000 01000000 01000000' + '00'.repeat(24) + '02000000 02000000', encode(ethernet({}, ipv4({}, upper)))),
    DIRECTION_EGRESS],
  ['PKTAP as macOS writes it', LINK_TYPE.USER2, bytes('30000000 01000000 0c000000' + '00'.repeat(24) + '01000000' + '00'.repeat(8), v6),
    DIRECTION_INGRESS],
  ['Broadcom tag', LINK_TYPE.DSA_TAG_BRCM, bytes('020000000001 020000000002 20000001 0800', v4)],
  ['Broadcom tag in front', LINK_TYPE.DSA_TAG_BRCM_PREPEND, bytes('20000001', encode(ethernet({}, ipv4({}, upper))))],
  ['Marvell tag', LINK_TYPE.DSA_TAG_DSA, bytes('020000000001 020000000002 c0000001 0800', v4)],
  ['Marvell tag, longer', LINK_TYPE.DSA_TAG_EDSA, bytes('020000000001 020000000002 dada 0000 c0000001 86dd', v6)],
  ['HSR', LINK_TYPE.ETHERNET, bytes('020000000001 020000000002 892f 1040 0001 0800', v4)],
  ['MACsec, integrity only', LINK_TYPE.ETHERNET, bytes('020000000001 020000000002 88e5 00 00 00000001 0800', v4, bytes('00'.repeat(16)))],
  ['MACsec with a channel identifier', LINK_TYPE.ETHERNET, bytes('020000000001 020000000002 88e5 20 00 00000001 0200000000020001 0800', v4)],
  ['Cisco group tag', LINK_TYPE.ETHERNET, bytes('020000000001 020000000002 8909 0101 0001 0005 0800', v4)],
  ['TRILL', LINK_TYPE.ETHERNET, bytes('020000000001 020000000002 22f3 0045 0001 0002 00000000', encode(ethernet({}, ipv4({}, upper))))],
  ['per-packet information', LINK_TYPE.PPI, bytes('0000 0800 01000000', encode(ethernet({}, ipv4({}, upper))))],
]

describe('link types', () => {
  for (const [name, linkType, frame, direction = DIRECTION_UNKNOWN] of frames) {
    test(`${name}: the segment is delivered, and any shorter frame is told short`, () => {
      const { event } = new BenchTop().frame(frame, { linkType })
      assert.equal(event?.payload.toString(), 'payload')
      assert.equal(event.direction, direction)
      assert.equal(event.ethertype, event.version === 4 ? 0x800 : 0x86dd)
      for (let length = 0; length < frame.length - 11; length++) {
        const short = new BenchTop().frame(frame.subarray(0, length), { linkType, wire: frame.length })
        if (short.event === undefined) assert.equal(short.outcome, 'HEADER_CUT', `at ${length}`)
        else assert.equal(short.event.payloadLength, 7)
      }
    })
  }

  test("the source's direction stands over the frame's", () => {
    const bench = new BenchTop()
    bench.meta.direction = DIRECTION_EGRESS
    const [, linkType, frame] = frames.find(([name]) => name === 'cooked, incoming')!
    assert.equal(bench.frame(frame, { linkType }).event?.direction, DIRECTION_EGRESS)
  })

  test('tags that the card took off come before those in the frame', () => {
    const bench = new BenchTop()
    Object.assign(bench.meta, { vlan0: 77, vlanCount: 1 })
    const tagged = bytes('020000000002 020000000001 8100 0005 0800', v4)
    const { event } = bench.frame(tagged)
    assert.deepEqual([event?.vlan, event?.vlanCount], [[77, 5], 2])
  })

  test('802.11 gives receiver and transmitter, and says so', () => {
    const [, linkType, frame] = frames.find(([name]) => name === '802.11')!
    const { event } = new BenchTop().frame(frame, { linkType })
    assert.deepEqual([event?.destinationMac, event?.sourceMac, event!.flags & FLAG_LINK], ['020000000001', '020000000002', FLAG_LINK])
  })

  test('802.11 that is no data, encrypted, or the rest of a frame gives no event', () => {
    const outcomes = ['8000 0000', '4801 0000', '0841 0000'].map(control =>
      new BenchTop().frame(bytes(`${control} ${WIFI_ADDRESSES} 0000` + SNAP, v4), { linkType: LINK_TYPE.IEEE802_11 }).outcome)
    assert.deepEqual(outcomes, ['NOT_IP', 'NOT_IP', 'ENCRYPTED'])
    const later = bytes(`0801 0000 ${WIFI_ADDRESSES} 0100`, v4)
    assert.equal(new BenchTop().frame(later, { linkType: LINK_TYPE.IEEE802_11 }).outcome, 'NOT_IP')
  })

  test('of an 802.11 aggregate the first packet is read and others are counted', () => {
    const length = (v4.length + 8).toString(16).padStart(4, '0')
    const subframe = bytes(`020000000005 020000000006 ${length}` + SNAP, v4)
    const padding = new Uint8Array(-subframe.length & 3)
    const head = `8801 0000 ${WIFI_ADDRESSES} 0000 8000`
    const bench = new BenchTop()
    const one = bench.frame(bytes(head, subframe, bytes('deadbeef')), { linkType: LINK_TYPE.IEEE802_11 })
    assert.deepEqual([one.event?.payload.toString(), one.event?.sourceMac], ['payload', '020000000006'])
    const before = bench.dissector.anomalies.of(DISSECT_ANOMALY.WIFI_AGGREGATE)
    bench.frame(bytes(head, subframe, padding, subframe), { linkType: LINK_TYPE.IEEE802_11 })
    assert.equal(bench.dissector.anomalies.of(DISSECT_ANOMALY.WIFI_AGGREGATE), before + 1)
    assert.equal(bench.dissector.layers.of(LAYER.WIFI), 2)
  })

  test('one that nobody knows is told', () => {
    for (const linkType of [2, 147, 65_535, 4_000_000]) {
      assert.equal(new BenchTop().frame(v4, { linkType }).outcome, 'LINK_TYPE_UNKNOWN')
    }
  })
})
