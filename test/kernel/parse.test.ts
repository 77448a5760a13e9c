import assert from 'node:assert/strict'

import {
  EVENT_FRAME, EVENT_SEGMENT, FLAG_IP_OPTIONS, FLAG_LINK, TUNNEL_GENEVE, TUNNEL_GRE, TUNNEL_IPIP, TUNNEL_VXLAN,
} from '../../src/capture/events.gen.ts'
import {
  ACK, PSH, SYN, be, ethernet, extension, geneve, gre, ipv4, ipv6, join, tagged, tcp, udp, vxlan,
} from './testing/frames.ts'
import { kernelTest } from './testing/kernel-test.ts'
import { ProgramBench, TCX_NEXT, ledgerOff } from './testing/program-bench.ts'
import type { PacketRecord } from './testing/records.ts'

const REQUEST = 'GET /a HTTP/1.1\r\nHost: b\r\n\r\n'
const segment = tcp({ flags: ACK | PSH, sequence: 1001 }, REQUEST)
const plain = ethernet(0x0800, ipv4({}, segment))

/** The one record that a frame gives. */
function recordOf(bench: ProgramBench, frame: Uint8Array): PacketRecord {
  assert.equal(bench.send(frame), TCX_NEXT, 'the program must not decide over the packet')
  const records = bench.records()
  assert.equal(ledgerOff(bench.counters()), 0)
  assert.equal(records.length, 1, `records of the frame; ${JSON.stringify([...bench.counters().notWanted, ...bench.counters().lost])}`)
  return records[0]!
}

function assertRequest(record: PacketRecord): void {
  assert.equal(record.kind, EVENT_SEGMENT)
  assert.equal(record.data.toString('latin1'), REQUEST)
  assert.deepEqual([record.sourcePort, record.destinationPort, record.sequence], [40000, 80, 1001])
}

kernelTest('every header field of a plain segment is in its record', () => {
  using bench = new ProgramBench()
  const options = be(4, 0x01010101)
  const record = recordOf(bench, ethernet(0x0800, ipv4({ ttl: 9, tos: 0xb9, id: 0x1234 },
    tcp({ flags: ACK | PSH | 0x100 | 0x80, sequence: 1001, acknowledgement: 0x89abcdef, window: 0xfedc, options }, REQUEST))))
  assertRequest(record)
  assert.equal(record.flags & FLAG_LINK, FLAG_LINK)
  assert.deepEqual([record.sourceMac, record.destinationMac, record.ethertype], ['02000000000a', '02000000000b', 0x0800])
  assert.deepEqual([record.ipVersion, record.protocol, record.ttl, record.tos, record.identification], [4, 6, 9, 0xb9, 0x1234])
  assert.deepEqual([record.source, record.destination], ['10.0.0.1', '10.0.0.2'])
  assert.deepEqual([record.tcpFlags, record.acknowledgement, record.window], [ACK | PSH | 0x100 | 0x80, 0x89abcdef, 0xfedc])
  assert.equal(record.frameLength, 14 + 20 + 24 + REQUEST.length)
  assert.equal(record.payloadLength, REQUEST.length)
})

kernelTest('IPv6 gives its flow label, traffic class and hop limit', () => {
  using bench = new ProgramBench()
  const record = recordOf(bench, ethernet(0x86dd, ipv6({ flow: 0x0ab12345, hopLimit: 3 }, segment)))
  assertRequest(record)
  assert.deepEqual([record.ipVersion, record.ttl, record.tos, record.identification], [6, 3, 0xab, 0x12345])
  assert.equal(record.source, '20010db8000000000000000000000001')
  assert.equal(record.flags & FLAG_IP_OPTIONS, 0)
})

kernelTest('one, two and three VLAN tags are taken off; two are kept and all are counted', () => {
  using bench = new ProgramBench()
  for (const [tags, kept] of [
    [[[0x8100, 0x6005]], [0x6005]],
    [[[0x88a8, 100], [0x8100, 200]], [100, 200]],
    [[[0x9100, 1], [0x88a8, 2], [0x8100, 3]], [1, 2]],
  ] as const) {
    const record = recordOf(bench, tagged(tags, 0x0800, ipv4({}, segment)))
    assertRequest(record)
    assert.deepEqual(record.vlan, kept)
    assert.equal(record.vlanCount, tags.length)
    assert.equal(record.ethertype, 0x0800)
  }
})

kernelTest('IPv4 options and each IPv6 extension header are passed over', () => {
  using bench = new ProgramBench()
  const frames = [
    ethernet(0x0800, ipv4({ options: be(4, 0x94040000) }, segment)),
    ethernet(0x0800, ipv4({ options: new Uint8Array(40).fill(1) }, segment)),
    ethernet(0x0800, ipv4({ protocol: 51 }, join(be(1, 6), be(1, 4), new Uint8Array(22), segment))),
    ethernet(0x86dd, ipv6({ next: 0 }, extension(6, 0, segment))),
    ethernet(0x86dd, ipv6({ next: 0 }, extension(43, 2, extension(60, 1, extension(6, 3, segment))))),
    ethernet(0x86dd, ipv6({ next: 51 }, join(be(1, 6), be(1, 4), new Uint8Array(22), segment))),
    ethernet(0x86dd, ipv6({ next: 44 }, join(be(1, 6), new Uint8Array(7), segment))),
  ]
  frames.forEach((frame, at) => {
    const record = recordOf(bench, frame)
    assertRequest(record)
    assert.equal(record.protocol, 6)
    if (at !== 2) assert.equal(record.flags & FLAG_IP_OPTIONS, FLAG_IP_OPTIONS, `frame ${at}`)
  })
})

kernelTest('fragments of IPv4 and IPv6 go to user space as whole frames', () => {
  using bench = new ProgramBench()
  const v6Fragment = (offset: number): Uint8Array => join(be(1, 6), be(1, 0), be(2, offset), be(4, 99), segment)
  for (const frame of [
    ethernet(0x0800, ipv4({ fragment: 0x2000 }, segment)),
    ethernet(0x0800, ipv4({ fragment: 100 }, segment)),
    ethernet(0x86dd, ipv6({ next: 44 }, v6Fragment(1))),
    ethernet(0x86dd, ipv6({ next: 44 }, v6Fragment(80))),
  ]) {
    const record = recordOf(bench, frame)
    assert.equal(record.kind, EVENT_FRAME)
    assert.equal(record.linkType, 1)
    assert.deepEqual(new Uint8Array(record.data), frame)
  }
})

kernelTest('the layers after an encapsulation the kernel does not open are left to user space', () => {
  using bench = new ProgramBench()
  const inner = ipv4({}, segment)
  for (const frame of [
    ethernet(0x8847, join(be(4, 0x00010140), inner)),
    ethernet(0x8864, join(be(2, 0x1100), be(2, 5), be(2, inner.length + 2), be(2, 0x21), inner)),
    ethernet(0x0800, ipv4({ protocol: 17 }, udp(2152, 2152, join(be(1, 0x30), be(1, 255), be(2, inner.length), be(4, 9), inner)))),
    ethernet(0x0800, ipv4({ protocol: 47 }, gre(0x2001, 0x880b, be(4, 1), inner))),
    ethernet(0x0800, ipv4({ protocol: 4 }, ipv4({ protocol: 4 }, ipv4({ protocol: 4 }, inner)))),
  ]) {
    const record = recordOf(bench, frame)
    assert.equal(record.kind, EVENT_FRAME)
    assert.deepEqual(new Uint8Array(record.data), frame)
  }
})

kernelTest('VXLAN, Geneve, GRE and IP in IP are opened, two deep', () => {
  using bench = new ProgramBench()
  const inner = ipv4({ source: '192.168.0.1', destination: '192.168.0.2' }, segment)
  const cases: [Uint8Array, number, number, number][] = [
    [ipv4({ protocol: 17 }, vxlan(77, ethernet(0x0800, inner))), TUNNEL_VXLAN, 77, 1],
    [ipv4({ protocol: 17 }, geneve(0xabcdef, 0x6558, 0, ethernet(0x0800, inner))), TUNNEL_GENEVE, 0xabcdef, 1],
    [ipv4({ protocol: 17 }, geneve(5, 0x0800, 3, inner)), TUNNEL_GENEVE, 5, 1],
    [ipv4({ protocol: 47 }, gre(0, 0x0800, new Uint8Array(), inner)), TUNNEL_GRE, 0, 1],
    [ipv4({ protocol: 47 }, gre(0xb000, 0x6558, join(be(4, 0), be(4, 1234), be(4, 1)), ethernet(0x0800, inner))), TUNNEL_GRE, 1234, 1],
    [ipv4({ protocol: 4 }, inner), TUNNEL_IPIP, 0, 1],
    [ipv4({ protocol: 17 }, vxlan(1, ethernet(0x0800, ipv4({ protocol: 17 }, vxlan(2, ethernet(0x0800, inner)))))), TUNNEL_VXLAN, 2, 2],
  ]
  for (const [packet, tunnel, id, depth] of cases) {
    const record = recordOf(bench, ethernet(0x0800, packet))
    assertRequest(record)
    assert.deepEqual([record.source, record.tunnel, record.tunnelId, record.tunnelDepth], ['192.168.0.1', tunnel, id, depth])
  }
  const six = recordOf(bench, ethernet(0x0800, ipv4({ protocol: 41 }, ipv6({}, segment))))
  assert.deepEqual([six.ipVersion, six.tunnel, six.ethertype], [6, TUNNEL_IPIP, 0x86dd])
  const four = recordOf(bench, ethernet(0x86dd, ipv6({ next: 4 }, ipv4({ source: '192.168.0.1' }, segment))))
  assert.deepEqual([four.ipVersion, four.source], [4, '192.168.0.1'])
})

kernelTest('padding behind the IP packet is not payload', () => {
  using bench = new ProgramBench({}, { packets: true })
  bench.send(join(ethernet(0x0800, ipv4({}, tcp({}))), new Uint8Array(6)))
  const [record] = bench.records()
  assert.equal(record?.payloadLength, 0)
  assert.equal(record?.data.length, 0)
})

kernelTest('a segment over 64 KiB has no length in its IP header, and ends where the buffer ends', () => {
  using bench = new ProgramBench()
  assertRequest(recordOf(bench, ethernet(0x0800, ipv4({ length: 0 }, segment))))
  assertRequest(recordOf(bench, ethernet(0x86dd, ipv6({ length: 0 }, segment))))
  const jumbo = join(be(1, 6), be(1, 0), be(1, 0xc2), be(1, 4), be(4, segment.length + 8), segment)
  assertRequest(recordOf(bench, ethernet(0x86dd, ipv6({ length: 0, next: 0 }, jumbo))))
})

kernelTest('MSS and window scale of a SYN are read wherever they stand among the options', () => {
  using bench = new ProgramBench()
  const cases: [Uint8Array, number, number][] = [
    [Uint8Array.of(2, 4, 5, 0xb4, 1, 3, 3, 7), 1460, 7],
    [Uint8Array.of(4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 3, 3, 14, 2, 4, 0x10, 0, 0), 4096, 14],
    [Uint8Array.of(1, 3, 3, 0), 0, 0],
    [Uint8Array.of(2, 4, 5, 0xb4), 1460, 255],
    [Uint8Array.of(2, 9, 5, 0xb4), 0, 255],
    [Uint8Array.of(99, 0, 0, 0), 0, 255],
    [new Uint8Array(), 0, 255],
  ]
  for (const [options, mss, scale] of cases) {
    const record = recordOf(bench, ethernet(0x0800, ipv4({}, tcp({ flags: SYN, options }))))
    assert.deepEqual([record.mss, record.windowScale], [mss, scale], `options ${Buffer.from(options).toString('hex')}`)
  }
})

kernelTest('UDP, ICMP, ICMPv6 and ARP come as headers when packets of them are asked for, and else not', () => {
  const arp = join(be(2, 1), be(2, 0x0800), be(1, 6), be(1, 4), be(2, 1), new Uint8Array(6), Uint8Array.of(10, 0, 0, 9),
    new Uint8Array(6), Uint8Array.of(10, 0, 0, 8))
  const frames = [
    ethernet(0x0800, ipv4({ protocol: 17 }, udp(1234, 53, 'question'))),
    ethernet(0x0800, ipv4({ protocol: 1 }, join(be(1, 8), be(1, 0), be(2, 0), 'ping'))),
    ethernet(0x86dd, ipv6({ next: 58 }, join(be(1, 135), be(1, 0), be(2, 0), 'who'))),
    ethernet(0x0806, arp),
  ]
  using bench = new ProgramBench({}, { packets: true, protocols: ['udp', 'icmp', 'arp'] })
  bench.send([...frames, plain])
  const records = bench.records()
  assert.deepEqual(records.map((record) => [record.protocol, record.sourcePort, record.destinationPort, record.payloadLength, record.data.length]),
    [[17, 1234, 53, 8, 0], [1, 8, 0, 4, 0], [58, 135, 0, 3, 0], [0, 1, 0, 0, 0]])
  assert.deepEqual([records[3]?.ipVersion, records[3]?.source, records[3]?.destination], [0, '10.0.0.9', '10.0.0.8'])
  bench.setFilters({ protocols: ['udp', 'icmp', 'arp', 'tcp'] })
  bench.send(frames)
  assert.deepEqual(bench.records(), [])
  assert.equal(bench.counters().notWanted.get('protocol'), 5)
})

kernelTest('headers that contradict themselves are counted as malformed, each way', () => {
  using bench = new ProgramBench()
  const frames = [
    plain.subarray(0, 40),
    tagged([[0x8100, 1]], 0x0800, be(4, 0x45000040)),
    ethernet(0x0800, ipv4({ length: 9000 }, segment)),
    ethernet(0x0800, ipv4({ length: 10 }, segment)),
    ethernet(0x0800, ipv4({ headerLength: 16 }, segment)),
    ethernet(0x0800, ipv4({}, tcp({ headerLength: 16 }, REQUEST))),
    ethernet(0x0800, ipv4({}, tcp({ headerLength: 60 }))),
    ethernet(0x0800, join(be(1, 0x65), ipv4({}, segment).subarray(1))),
    ethernet(0x86dd, ipv6({ length: 5000 }, segment)),
    ethernet(0x86dd, ipv6({ next: 0 }, be(1, 6))),
    ethernet(0x8100, be(1, 0)),
  ]
  frames.forEach((frame, at) => {
    bench.send(frame)
    assert.equal(bench.counters().lost.get('malformed'), at + 1, `frame ${at}: ${JSON.stringify([...bench.counters().notWanted])}`)
  })
  assert.deepEqual(bench.records(), [])
})

kernelTest('devices without a link header begin with IP', () => {
  using bench = new ProgramBench()
  for (const packet of [ipv4({}, segment), ipv6({}, segment), ipv4({ options: new Uint8Array(4).fill(1) }, segment)]) {
    // A test run takes the first 14 bytes for a link header that this program does not look at.
    bench.send(join(packet), 'lintel_ip_in')
    const records = bench.records()
    assert.equal(ledgerOff(bench.counters()), 0)
    assert.equal(records.length, 1, JSON.stringify([...bench.counters().notWanted, ...bench.counters().lost]))
    assert.equal(records[0]!.flags & FLAG_LINK, 0)
    assert.equal(records[0]!.data.toString('latin1'), REQUEST)
  }
})

kernelTest('10,000 frames with random bytes changed each fall under exactly one counter', () => {
  const seeds = [
    plain, tagged([[0x8100, 1]], 0x0800, ipv4({}, segment)), ethernet(0x86dd, ipv6({ next: 0 }, extension(60, 1, extension(6, 0, segment)))),
    ethernet(0x0800, ipv4({ protocol: 17 }, vxlan(1, ethernet(0x0800, ipv4({}, segment))))),
    ethernet(0x0800, ipv4({ protocol: 47 }, gre(0xb000, 0x6558, new Uint8Array(12), ethernet(0x0800, ipv4({}, segment))))),
    ethernet(0x0800, ipv4({}, tcp({ flags: SYN, options: Uint8Array.of(2, 4, 5, 0xb4, 1, 3, 3, 7) }))),
  ]
  using bench = new ProgramBench({}, { protocols: ['tcp', 'udp', 'icmp', 'arp'] })
  let state = 20260101
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor(state / 2 ** 32 * below)
  }
  let records = 0
  for (let round = 0; round < 10_000; round++) {
    const seed = seeds[random(seeds.length)]!
    const frame = seed.slice(0, (random(4) === 0 ? 54 + random(seed.length - 54) : seed.length))
    for (let changes = random(4); changes > 0; changes--) frame[14 + random(frame.length - 14)] = random(256)
    assert.equal(bench.send(frame), TCX_NEXT)
    if (round % 500 === 0) records += bench.records().length
  }
  records += bench.records().length
  const counters = bench.counters()
  assert.equal(counters.seen, 10_000)
  assert.equal(ledgerOff(counters), 0)
  assert.equal(counters.delivered, records)
  assert.ok(records > 1000 && (counters.lost.get('malformed') ?? 0) > 100, 'both good and bad frames were among them')
})
