import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import {
  encode, ethernet, ETHERTYPE_PROVIDER_VLAN, extension, fragmentHeader, geneve, gre, gtpu, icmp, ipv4, ipv6, mpls, pppoe,
  raw, synOptions, tcp, TCP_FLAG, udp, vlan, vxlan, type Layer,
} from '../../../lib/pcap/builder.ts'
import {
  EVENT_SEGMENT, FLAG_CUT, FLAG_IP_OPTIONS, FLAG_LINK, HOOK_TCX, TUNNEL_GENEVE, TUNNEL_GRE, TUNNEL_GTPU, TUNNEL_IPIP,
  TUNNEL_MPLS, TUNNEL_OTHER, TUNNEL_PPPOE, TUNNEL_TEREDO, TUNNEL_VXLAN,
} from '../events.gen.ts'
import { DISSECT_ANOMALY, PROTOCOL_BIT } from './mod.ts'
import { BenchTop } from './testing/bench-top.ts'

const ports = { sourcePort: 40000, destinationPort: 80 }
const upper = (text = 'payload'): Layer => tcp({ ...ports, sequence: 0xfedcba98, acknowledgement: 0x89abcdef }, raw(text))
const inner = (text?: string): Layer => ipv4({ source: '192.0.2.1', destination: '192.0.2.2' }, upper(text))
const inner6 = (): Layer => ipv6({ source: '2001:db8::1', destination: '2001:db8::2' }, upper())
const over = (destinationPort: number, layer: Layer): Layer =>
  ethernet({}, ipv4({}, udp({ sourcePort: 50000, destinationPort }, layer)))

/** The event of a frame that must give one. */
function event(layer: Layer | Uint8Array, options?: Parameters<BenchTop['frame']>[1], bench = new BenchTop()) {
  const { event, outcome } = bench.frame(layer instanceof Uint8Array ? layer : encode(layer), options)
  assert.equal(outcome, 'DELIVERED')
  assert.ok(event !== undefined)
  return event
}

function outcome(frame: Uint8Array, options?: Parameters<BenchTop['frame']>[1], bench = new BenchTop()): string {
  const { event, outcome } = bench.frame(frame, options)
  assert.equal(event, undefined)
  return outcome
}

/** `frame` with one byte set. */
function patched(layer: Layer, at: number, ...bytes: number[]): Uint8Array {
  const frame = Uint8Array.from(encode(layer))
  frame.set(bytes, at)
  return frame
}

describe('a TCP segment', () => {
  test('becomes an event with all its fields', () => {
    const bench = new BenchTop()
    Object.assign(bench.meta, { timeLow: 0xfffffffe, timeHigh: 0x1ffff, interfaceIndex: 9, hook: HOOK_TCX, direction: 2 })
    const frame = encode(ethernet({ source: '02:aa:bb:cc:dd:01', destination: '02:aa:bb:cc:dd:02' },
      ipv4({ source: '192.0.2.1', destination: '198.51.100.7', ttl: 61, tos: 0x2e, identification: 0xbeef },
        tcp({ ...ports, sequence: 0xfedcba98, acknowledgement: 0x89abcdef, window: 501, flags: TCP_FLAG.ACK | TCP_FLAG.PSH | TCP_FLAG.AE },
          raw('GET / HTTP/1.1\r\n\r\n')))))
    const { payload, ...fields } = event(frame, {}, bench)
    assert.equal(payload.toString(), 'GET / HTTP/1.1\r\n\r\n')
    assert.deepEqual(fields, {
      timeNs: 0x1fffffffffffen, interfaceIndex: 9, frameLength: frame.length, payloadLength: 18, capturedLength: 18,
      sequence: 0xfedcba98, acknowledgement: 0x89abcdef, tunnelId: 0, identification: 0xbeef,
      source: '192.0.2.1 40000', destination: '198.51.100.7 80', ethertype: 0x800, vlan: [0, 0], vlanCount: 0,
      tcpFlags: 0x118, window: 501, mss: 0, windowScale: 255, kind: EVENT_SEGMENT, hook: HOOK_TCX, direction: 2,
      flags: FLAG_LINK, version: 4, protocol: 6, ttl: 61, tos: 0x2e, tunnel: 0, tunnelDepth: 0,
      sourceMac: '02aabbccdd01', destinationMac: '02aabbccdd02',
    })
  })

  test('over IPv6 has its flow label, class and full addresses', () => {
    const read = event(ethernet({}, ipv6({ source: 'fe80::1', destination: '2001:db8::ff', flowLabel: 0xabcde,
      trafficClass: 0xb9, hopLimit: 3 }, upper())))
    assert.deepEqual([read.source, read.destination], ['fe80:0:0:0:0:0:0:1 40000', '2001:db8:0:0:0:0:0:ff 80'])
    assert.deepEqual([read.identification, read.tos, read.ttl, read.version], [0xabcde, 0xb9, 3, 6])
  })

  test('has segment size and window scale when it is a SYN', () => {
    const syn = (options: Uint8Array, bench?: BenchTop) =>
      event(ethernet({}, ipv4({}, tcp({ ...ports, flags: TCP_FLAG.SYN, options }, raw('')))), {}, bench)
    assert.deepEqual([syn(synOptions(1400, 9)).mss, syn(synOptions(1400, 9)).windowScale], [1400, 9])
    assert.deepEqual([syn(synOptions(536)).mss, syn(synOptions(536)).windowScale], [536, 255])
    assert.equal(syn(synOptions(536, 200)).windowScale, 14)
    const bench = new BenchTop()
    for (const options of [[2, 0], [2, 1, 5, 5], [1, 1, 3, 9], [2, 40, 1, 1]]) syn(Uint8Array.from(options), bench)
    assert.equal(bench.dissector.anomalies.of(DISSECT_ANOMALY.TCP_OPTIONS_MALFORMED), 4)
  })

  test('never has link padding as payload', () => {
    for (const text of ['', 'abc']) {
      const read = event(ethernet({ padded: true }, inner(text)))
      assert.deepEqual([read.payload.toString(), read.payloadLength, read.frameLength], [text, text.length, 60])
    }
  })

  test('that the capture has cut tells its whole length', () => {
    const frame = encode(ethernet({}, inner('0123456789')))
    for (const kept of [0, 1, 9]) {
      const read = event(frame.subarray(0, frame.length - 10 + kept), { wire: frame.length })
      assert.deepEqual([read.payloadLength, read.capturedLength], [10, kept])
      assert.equal(read.payload.toString(), '0123456789'.slice(0, kept))
      assert.equal(read.flags & FLAG_CUT, FLAG_CUT)
    }
    assert.equal(event(frame).flags & FLAG_CUT, 0)
    // Options cut off: sequence and ports are there all the same.
    const withOptions = encode(ethernet({}, ipv4({}, tcp({ ...ports, options: new Uint8Array(12).fill(1) }, raw('x')))))
    const read = event(withOptions.subarray(0, 54), { wire: withOptions.length })
    assert.deepEqual([read.source, read.payloadLength, read.capturedLength], ['10.0.0.1 40000', 1, 0])
  })

  test('over 64 KiB is cut to what a record holds', () => {
    const bench = new BenchTop()
    const large = ethernet({}, ipv4({ totalLength: 0 }, tcp(ports, raw(new Uint8Array(100_000).fill(7)))))
    const read = event(large, {}, bench)
    assert.deepEqual([read.payloadLength, read.capturedLength], [100_000, 65_536])
    assert.ok(read.payload.every(byte => byte === 7))
    assert.equal(bench.dissector.bytesCut, 100_000 - 65_536)
    assert.equal(bench.dissector.anomalies.of(DISSECT_ANOMALY.PAYLOAD_OVER_RECORD), 1)
    assert.equal(bench.dissector.anomalies.of(DISSECT_ANOMALY.IP_TOTAL_LENGTH_ZERO), 1)
  })
})

describe('layers', () => {
  const cases: ReadonlyArray<readonly [string, Layer, object]> = [
    ['802.1Q', ethernet({}, vlan(0x6005, inner())), { vlan: [0x6005, 0], vlanCount: 1 }],
    ['QinQ', ethernet({}, vlan(100, vlan(200, inner()), ETHERTYPE_PROVIDER_VLAN)), { vlan: [100, 200], vlanCount: 2 }],
    ['old QinQ', ethernet({}, vlan(100, vlan(200, inner()), 0x9100)), { vlan: [100, 200], vlanCount: 2 }],
    ['three tags', ethernet({}, vlan(1, vlan(2, vlan(3, inner())))), { vlan: [1, 2], vlanCount: 3 }],
    ['MPLS', ethernet({}, mpls([16, 17], inner())), { tunnel: TUNNEL_MPLS, tunnelId: 17, tunnelDepth: 1 }],
    ['MPLS with IPv6', ethernet({}, mpls([16], inner6())), { tunnel: TUNNEL_MPLS, tunnelId: 16, version: 6 }],
    ['an Ethernet pseudowire', ethernet({}, mpls([16], raw(Buffer.concat([Buffer.alloc(4), encode(ethernet({}, inner()))])))),
      { tunnel: TUNNEL_MPLS }],
    ['PPPoE', ethernet({}, pppoe(0x1234, inner())), { tunnel: TUNNEL_PPPOE, tunnelId: 0x1234, ethertype: 0x800 }],
    ['PPPoE with IPv6', ethernet({}, pppoe(7, inner6())), { tunnel: TUNNEL_PPPOE, version: 6, ethertype: 0x86dd }],
    ['IPv4 options', ethernet({}, ipv4({ source: '192.0.2.1', options: new Uint8Array(8).fill(1) }, upper())),
      { flags: FLAG_LINK | FLAG_IP_OPTIONS }],
    ['IPv4 in IPv4', ethernet({}, ipv4({}, inner())), { tunnel: TUNNEL_IPIP, tunnelDepth: 1 }],
    ['IPv6 in IPv4', ethernet({}, ipv4({}, inner6())), { tunnel: TUNNEL_IPIP, version: 6, ethertype: 0x86dd }],
    ['IPv4 in IPv6', ethernet({}, ipv6({}, inner())), { tunnel: TUNNEL_IPIP, version: 4, ethertype: 0x800 }],
    ['IPv6 in IPv6', ethernet({}, ipv6({}, inner6())), { tunnel: TUNNEL_IPIP, version: 6 }],
    ['GRE', ethernet({}, ipv4({}, gre({}, inner()))), { tunnel: TUNNEL_GRE, tunnelId: 0 }],
    ['GRE with all fields', ethernet({}, ipv4({}, gre({ key: 0x80000001, sequence: 5, checksum: true }, inner()))),
      { tunnel: TUNNEL_GRE, tunnelId: 0x80000001 }],
    ['GRE with Ethernet', ethernet({}, ipv6({}, gre({ key: 5 }, ethernet({ source: '02:00:00:00:00:99' }, inner())))),
      { tunnel: TUNNEL_GRE, sourceMac: '020000000099' }],
    ['ERSPAN II', ethernet({}, ipv4({}, gre({ sequence: 1 }, raw(Buffer.concat([Buffer.alloc(8), encode(ethernet({}, inner()))]),
      { ethertype: 0x88be })))), { tunnel: TUNNEL_GRE }],
    ['ERSPAN I', ethernet({}, ipv4({}, gre({}, raw(encode(ethernet({}, inner())), { ethertype: 0x88be })))),
      { tunnel: TUNNEL_GRE }],
    ['ERSPAN III with its platform header', ethernet({}, ipv4({}, gre({ sequence: 1 }, raw(Buffer.concat([Buffer.alloc(11),
      Uint8Array.of(1), Buffer.alloc(8), encode(ethernet({}, inner()))]), { ethertype: 0x22eb })))), { tunnel: TUNNEL_GRE }],
    ['PPTP', ethernet({}, ipv4({}, raw(pptp(encode(inner())), { protocol: 47 }))), { tunnel: TUNNEL_GRE, tunnelId: 0x77 }],
    ['VXLAN', over(4789, vxlan(0xabcdef, ethernet({}, inner()))), { tunnel: TUNNEL_VXLAN, tunnelId: 0xabcdef }],
    ['VXLAN on the old port', over(8472, vxlan(1, ethernet({}, vlan(9, inner())))), { tunnel: TUNNEL_VXLAN, vlanCount: 1 }],
    ['VXLAN-GPE with IPv4', over(4790, raw(Buffer.concat([Uint8Array.of(0xc, 0, 0, 1, 0, 0, 5, 0), encode(inner())]))),
      { tunnel: TUNNEL_VXLAN, tunnelId: 5 }],
    ['VXLAN-GPE with NSH', over(4790, raw(Buffer.concat([Uint8Array.of(0xc, 0, 0, 4, 0, 0, 5, 0), Uint8Array.of(0, 2, 1, 1),
      Buffer.alloc(4), encode(inner())]))), { tunnel: TUNNEL_VXLAN }],
    ['Geneve with options', over(6081, geneve(0xfedcba, ethernet({}, inner()), new Uint8Array(12))),
      { tunnel: TUNNEL_GENEVE, tunnelId: 0xfedcba }],
    ['Geneve with IPv6', over(6081, geneve(3, inner6())), { tunnel: TUNNEL_GENEVE, version: 6 }],
    ['GTP-U', over(2152, gtpu(0xdeadbeef, inner())), { tunnel: TUNNEL_GTPU, tunnelId: 0xdeadbeef }],
    ['GTP-U with an extension', over(2152, raw(Buffer.concat([Uint8Array.of(0x34, 255, 0, 99, 0, 0, 0, 5, 0, 0, 0, 0x85, 1, 0, 0, 0),
      encode(inner())]))), { tunnel: TUNNEL_GTPU, tunnelId: 5 }],
    ['GTP-U with two extensions', over(2152, raw(Buffer.concat([Uint8Array.of(0x34, 255, 0, 99, 0, 0, 0, 5, 0, 0, 0, 0x85,
      1, 0, 0, 0xc0, 2, 0, 0, 0, 0, 0, 0, 0), encode(inner())]))), { tunnel: TUNNEL_GTPU, tunnelId: 5 }],
    ['Teredo with both headers', over(3544, raw(Buffer.concat([Uint8Array.of(0, 1, 2, 3), Buffer.alloc(5 + 9),
      Buffer.alloc(8), encode(inner6())]))), { tunnel: TUNNEL_TEREDO, version: 6 }],
    ['Teredo between clients', over(3797, ipv6({ source: '2001:0:1::1' }, upper())), { tunnel: TUNNEL_TEREDO, version: 6 }],
    ['L2TP', over(1701, raw(Buffer.concat([Uint8Array.of(0x40, 2), u16(encode(inner()).length + 12), Uint8Array.of(0, 1, 0, 42, 0xff, 3, 0, 0x21), encode(inner())]))),
      { tunnel: TUNNEL_OTHER, tunnelId: 42 }],
    ['AYIYA', over(5072, raw(Buffer.concat([Uint8Array.of(0x41, 0x52, 0x11, 41), Buffer.alloc(4 + 16 + 20), encode(inner6())]))),
      { tunnel: TUNNEL_OTHER, version: 6 }],
    ['EtherIP', ethernet({}, ipv4({}, raw(Buffer.concat([Uint8Array.of(0x30, 0), encode(ethernet({}, inner()))]), { protocol: 97 }))),
      { tunnel: TUNNEL_OTHER }],
    ['MPLS in UDP', over(6635, mpls([99], inner())), { tunnel: TUNNEL_MPLS, tunnelId: 99 }],
    ['GRE in UDP', over(4754, gre({ key: 3 }, inner())), { tunnel: TUNNEL_GRE, tunnelId: 3, protocol: 6 }],
    ['TZSP', over(37008, raw(Buffer.concat([Uint8Array.of(1, 0, 0, 1, 0, 10, 1, 0xd6, 1), encode(ethernet({}, inner()))]))),
      { tunnel: TUNNEL_OTHER }],
    ['TZSP with 802.11', over(37008, raw(Buffer.concat([Uint8Array.of(1, 0, 0, 18, 1), Uint8Array.of(8, 1), Buffer.alloc(22),
      Uint8Array.of(0xaa, 0xaa, 3, 0, 0, 0, 8, 0), encode(inner())]))), { tunnel: TUNNEL_OTHER }],
    ['LISP', over(4341, raw(Buffer.concat([Uint8Array.of(0xc0, 1, 2, 3, 0, 0, 0, 1), encode(inner6())]))), { tunnel: TUNNEL_OTHER, version: 6 }],
    ['GUE', over(6080, raw(Buffer.concat([Uint8Array.of(1, 4, 0, 0), Buffer.alloc(4), encode(inner())]))), { version: 4 }],
    ['GUE, direct', over(6080, inner6()), { tunnel: TUNNEL_OTHER, version: 6 }],
    ['CAPWAP', over(5247, raw(Buffer.concat([Uint8Array.of(0, 0x10, 2, 0, 0, 0, 0, 0), encode(ethernet({}, inner()))]))),
      { tunnel: TUNNEL_OTHER }],
    ['CAPWAP with 802.11', over(5247, raw(Buffer.concat([Uint8Array.of(0, 0x10, 0x03, 0, 0, 0, 0, 0), Uint8Array.of(8, 1), Buffer.alloc(22),
      Uint8Array.of(0xaa, 0xaa, 3, 0, 0, 0, 8, 0), encode(inner())]))), { tunnel: TUNNEL_OTHER }],
    ['802.2 SNAP', raw(Buffer.concat([Buffer.alloc(12), u16(8 + encode(inner()).length), Uint8Array.of(0xaa, 0xaa, 3, 0, 0, 0, 8, 0),
      encode(inner()), Buffer.from('padding')])), { ethertype: 0x800 }],
    ['provider backbone', raw(Buffer.concat([Buffer.alloc(12), Uint8Array.of(0x88, 0xe7, 0, 0, 1, 0), encode(ethernet({}, inner()))])),
      { version: 4 }],
    ['VXLAN in VXLAN', over(4789, vxlan(1, over(4789, vxlan(2, ethernet({}, inner()))))),
      { tunnel: TUNNEL_VXLAN, tunnelId: 2, tunnelDepth: 2 }],
    ['GTP-U in GRE in MPLS in QinQ', ethernet({}, vlan(1, vlan(2, mpls([3], ipv4({}, gre({}, ipv4({},
      udp({ sourcePort: 9, destinationPort: 2152 }, gtpu(6, inner())))))))), ),
      { tunnel: TUNNEL_GTPU, tunnelId: 6, tunnelDepth: 3, vlanCount: 2 }],
  ]
  for (const [name, layer, expected] of cases) {
    test(`${name}: the innermost segment is delivered`, () => {
      const read = event(layer)
      assert.equal(read.payload.toString(), 'payload')
      assert.deepEqual([read.payloadLength, read.sequence, read.acknowledgement], [7, 0xfedcba98, 0x89abcdef])
      assert.match(read.source, /^(192\.0\.2\.1|10\.0\.0\.1|2001:(db8:)?[0:]+1(:[0:]*1)?) 40000$/)
      assert.deepEqual({ ...read, ...expected }, read)
    })
  }

  test('IPv6 extension headers are stepped over, an atomic fragment too', () => {
    const options = Uint8Array.of(1, 4, 0, 0, 0, 0)
    const authentication = new Uint8Array(10)
    const layer = ipv6({}, extension(0, options, extension(60, options, extension(43, Uint8Array.of(0, 0, 0, 0, 0, 0),
      fragmentHeader(5, 0, false, extension(135, options, extension(51, authentication, upper())))))))
    const read = event(ethernet({}, layer))
    assert.equal(read.payload.toString(), 'payload')
    assert.equal(read.flags & FLAG_IP_OPTIONS, FLAG_IP_OPTIONS)
  })

  test('an IPv4 authentication header is stepped over, ESP is the end', () => {
    assert.equal(event(ethernet({}, ipv4({}, extension(51, new Uint8Array(10), upper())))).payload.toString(), 'payload')
    const esp = event(ethernet({}, ipv4({}, raw('secret', { protocol: 50 }))))
    assert.deepEqual([esp.protocol, esp.payload.toString(), esp.source], [50, 'secret', '10.0.0.1 0'])
  })

  test('more than 16 headers in one another are refused', () => {
    const nested = (depth: number): Layer => depth === 0 ? inner() : ipv4({}, nested(depth - 1))
    assert.equal(event(ethernet({}, nested(15))).tunnelDepth, 15)
    const bench = new BenchTop()
    assert.equal(outcome(encode(ethernet({}, nested(16))), {}, bench), 'TOO_DEEP')
    const tags = (depth: number): Layer => depth === 0 ? inner() : vlan(depth, tags(depth - 1))
    assert.equal(outcome(encode(ethernet({}, tags(40))), {}, bench), 'TOO_DEEP')
    assert.equal(outcome(encode(ethernet({}, mpls(Array.from({ length: 60 }, () => 3), inner()))), {}, bench), 'TOO_DEEP')
    assert.equal(bench.dissector.anomalies.of(DISSECT_ANOMALY.TOO_DEEP), 3)
  })

  test("a tunnel's port without its header is plain UDP", () => {
    const bench = new BenchTop()
    for (const port of [4789, 4790, 6081, 2152, 3544, 5072, 1701, 4754]) {
      const read = event(over(port, raw(Buffer.alloc(30, 0xf0))), {}, bench)
      assert.deepEqual([read.protocol, read.destination, read.payloadLength, read.tunnel], [17, `10.0.0.2 ${port}`, 30, 0])
    }
    assert.equal(bench.dissector.anomalies.of(DISSECT_ANOMALY.TUNNEL_HEADER_UNKNOWN), 8)
  })
})

describe('other protocols', () => {
  test('UDP, ICMP, ICMPv6 and SCTP have their fields', () => {
    const datagram = event(ethernet({ padded: true }, ipv4({}, udp({ sourcePort: 53, destinationPort: 9 }, raw('dns')))))
    assert.deepEqual([datagram.protocol, datagram.source, datagram.payload.toString()], [17, '10.0.0.1 53', 'dns'])
    const echo = event(ethernet({}, ipv4({}, icmp(1, 8, 3, Buffer.from('idsqdata')))))
    assert.deepEqual([echo.protocol, echo.source, echo.destination, echo.payload.toString()], [1, '10.0.0.1 8', '10.0.0.2 3', 'idsqdata'])
    const echo6 = event(ethernet({}, ipv6({}, icmp(58, 128, 0, Buffer.from('idsq')))))
    assert.deepEqual([echo6.protocol, echo6.source], [58, 'fd00:0:0:0:0:0:0:1 128'])
    const sctp = event(ethernet({}, ipv4({}, raw(Buffer.concat([u16(36412), u16(36413), Buffer.alloc(8), Buffer.from('chunk')]), { protocol: 132 }))))
    assert.deepEqual([sctp.source, sctp.destination, sctp.payload.toString()], ['10.0.0.1 36412', '10.0.0.2 36413', 'chunk'])
  })

  test('ARP is told with its operation and addresses', () => {
    const arp = Buffer.from('000108000604000202000000000ac000020102000000000bc0000202', 'hex')
    const read = event(ethernet({ padded: true }, raw(arp, { ethertype: 0x806 })))
    assert.deepEqual([read.version, read.ethertype, read.source, read.destination, read.payloadLength, read.protocol],
      [0, 0x806, '192.0.2.1 2', '192.0.2.2 0', 0, 0])
  })

  test('that are not chosen give no event', () => {
    const bench = new BenchTop({ protocols: PROTOCOL_BIT.TCP })
    const datagram = encode(ethernet({}, ipv4({}, udp({ sourcePort: 1, destinationPort: 2 }, raw('x')))))
    assert.equal(outcome(datagram, {}, bench), 'PROTOCOL')
    assert.equal(outcome(encode(ethernet({}, ipv4({}, icmp(1, 8, 0, Buffer.alloc(4))))), {}, bench), 'PROTOCOL')
    assert.equal(outcome(encode(ethernet({}, raw(Buffer.alloc(28), { ethertype: 0x806 }))), {}, bench), 'PROTOCOL')
    assert.equal(event(over(4789, vxlan(1, ethernet({}, inner()))), {}, bench).protocol, 6)
  })

  test('frames without IP give no event', () => {
    for (const frame of [raw('x'.repeat(30), { ethertype: 0x88cc }), raw(Buffer.alloc(50), { ethertype: 38 })]) {
      assert.equal(outcome(encode(ethernet({}, frame))), 'NOT_IP')
    }
  })
})

describe('headers that lie', () => {
  const frame = ethernet({}, inner('0123456789'))
  const bytes = encode(frame)

  test('an IPv4 header of a wrong version or length is refused', () => {
    assert.equal(outcome(patched(frame, 14, 0x55)), 'IP_VERSION')
    assert.equal(outcome(patched(frame, 14, 0x44)), 'IP_HEADER_LENGTH')
    assert.equal(outcome(patched(frame, 16, 0, 19)), 'IP_TOTAL_LENGTH')
    assert.equal(outcome(patched(frame, 14, 0x4f), {}), 'IP_TOTAL_LENGTH')
  })

  test('a TCP header shorter than 20 bytes or longer than its packet is refused', () => {
    assert.equal(outcome(patched(frame, 46, 0x40)), 'TCP_HEADER_LENGTH')
    assert.equal(outcome(patched(frame, 46, 0xf0)), 'TCP_HEADER_LENGTH')
    assert.equal(outcome(patched(ethernet({}, inner('')), 46, 0x60)), 'TCP_HEADER_LENGTH')
    assert.equal(event(patched(ethernet({}, inner('four')), 46, 0x60)).payloadLength, 0)
  })

  test('an IP length over the frame is not believed', () => {
    const bench = new BenchTop()
    assert.equal(event(patched(frame, 16, 0xff, 0xff), {}, bench).payload.toString(), '0123456789')
    const long6 = patched(ethernet({}, inner6()), 18, 0xff, 0xff)
    assert.equal(event(long6, {}, bench).payload.toString(), 'payload')
    assert.equal(bench.dissector.anomalies.of(DISSECT_ANOMALY.IP_LENGTH_OVER_FRAME), 2)
  })

  test('a length of 0 from a card that splits segments is the frame itself', () => {
    const bench = new BenchTop()
    assert.equal(event(patched(frame, 16, 0, 0), {}, bench).payload.toString(), '0123456789')
    assert.equal(event(patched(ethernet({}, inner6()), 18, 0, 0), {}, bench).payload.toString(), 'payload')
    const { anomalies } = bench.dissector
    assert.equal(anomalies.of(DISSECT_ANOMALY.IP_TOTAL_LENGTH_ZERO), 1)
    assert.equal(anomalies.of(DISSECT_ANOMALY.IP6_PAYLOAD_LENGTH_ZERO), 1)
  })

  test('a jumbogram has the length of its option', () => {
    const data = new Uint8Array(70_000)
    const body = 8 + 20 + data.length
    const option = Uint8Array.of(0xc2, 4, 0, body >>> 16, (body >> 8) & 0xff, body & 0xff)
    const jumbo = encode(ethernet({}, ipv6({ payloadLength: 0 }, extension(0, option, tcp(ports, raw(data))))))
    const bench = new BenchTop()
    const read = event(Buffer.concat([jumbo, Buffer.from('padding')]), {}, bench)
    assert.equal(read.payloadLength, 70_000)
    assert.equal(bench.dissector.anomalies.of(DISSECT_ANOMALY.IP6_PAYLOAD_LENGTH_ZERO), 0)
  })

  test('UDP lengths are named and bounded', () => {
    const datagram = (length: number): Uint8Array =>
      encode(ethernet({}, ipv4({}, udp({ sourcePort: 1, destinationPort: 2, length }, raw('0123456789')))))
    assert.equal(event(datagram(12)).payload.toString(), '0123')
    assert.equal(outcome(datagram(7)), 'UDP_LENGTH')
    const bench = new BenchTop()
    assert.equal(event(datagram(0), {}, bench).payload.toString(), '0123456789')
    assert.equal(event(datagram(60_000), {}, bench).payload.toString(), '0123456789')
    assert.deepEqual([...bench.dissector.anomalies.entries()], [['udp_length_zero', 1], ['udp_length_over_ip', 1]])
  })

  test('a frame cut at any byte is told cut when the wire had more, short when not', () => {
    for (let length = 0; length < bytes.length; length++) {
      const short = new BenchTop().frame(bytes.subarray(0, length))
      const cut = new BenchTop().frame(bytes.subarray(0, length), { wire: bytes.length })
      if (length >= 54) assert.deepEqual([short.outcome, cut.outcome], ['DELIVERED', 'DELIVERED'])
      else assert.deepEqual([short.outcome, cut.outcome], ['HEADER_SHORT', 'HEADER_CUT'], `at ${length}`)
    }
  })

  test('no result depends on a byte outside the frame', () => {
    const shapes = [frame, ethernet({}, inner6()), over(4789, vxlan(1, ethernet({}, inner()))), over(2152, gtpu(1, inner())),
      over(6081, geneve(1, inner(), new Uint8Array(8))), ethernet({}, vlan(3, mpls([1, 2], inner()))),
      ethernet({}, pppoe(1, inner6())), ethernet({}, ipv4({}, gre({ key: 1, sequence: 2 }, ethernet({}, inner()))))]
    for (const shape of shapes) {
      const whole = encode(shape)
      for (let length = 0; length <= whole.length; length++) {
        const results = [0x00, 0xff, 0x45, 0x60].map(guard =>
          new BenchTop().frame(whole.subarray(0, length), { guard, wire: whole.length }))
        for (const result of results) assert.deepEqual(result, results[0])
      }
    }
  })
})

describe('checksums', () => {
  const ports17 = { sourcePort: 1, destinationPort: 2 }
  const wrong: ReadonlyArray<readonly [string, Layer]> = [
    ['CHECKSUM_IP', ethernet({}, ipv4({ checksum: 0x1234 }, upper()))],
    ['CHECKSUM_TRANSPORT', ethernet({}, ipv4({}, tcp({ ...ports, checksum: 0x1234 }, raw('x'))))],
    ['CHECKSUM_TRANSPORT', ethernet({}, ipv6({}, tcp({ ...ports, checksum: 0x1234 }, raw('x'))))],
    ['CHECKSUM_TRANSPORT', ethernet({}, ipv4({}, udp({ ...ports17, checksum: 0x1234 }, raw('x'))))],
  ]

  test('are not looked at by default', () => {
    for (const [, layer] of wrong) event(layer)
  })

  test('drop what is wrong when they are to be verified, and nothing else', () => {
    const bench = new BenchTop({ verifyChecksums: true })
    for (const [name, layer] of wrong) assert.equal(outcome(encode(layer), {}, bench), name)
    const right = [ethernet({ padded: true }, inner('odd')), ethernet({}, inner6()), over(9, raw('abc')),
      ethernet({}, ipv4({}, udp({ ...ports17, checksum: 0 }, raw('none')))),
      ethernet({}, ipv4({}, icmp(1, 8, 0, Buffer.from('abcde')))), ethernet({}, ipv6({}, icmp(58, 128, 0, Buffer.from('abcde')))),
      over(4789, vxlan(1, ethernet({}, inner())))]
    for (const layer of right) event(layer, {}, bench)
    const cut = encode(wrong[1]![1])
    event(cut.subarray(0, cut.length - 1), { wire: cut.length }, bench)
  })
})

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff)
}

/** Enhanced GRE with a sequence number, an acknowledgement, and PPP around an IPv4 packet. */
function pptp(packet: Uint8Array): Uint8Array {
  const ppp = Buffer.concat([Uint8Array.of(0xff, 3, 0x21), packet])
  return Buffer.concat([Uint8Array.of(0x30, 0x81, 0x88, 0x0b), u16(ppp.length), Uint8Array.of(0, 0x77), Buffer.alloc(8), ppp])
}
