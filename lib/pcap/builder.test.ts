import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'

import {
  encode, ethernet, ETHERTYPE_PROVIDER_VLAN, extension, fragmentHeader, geneve, gre, gtpu, icmp, ipv4, ipv4Fragments,
  ipv6, ipv6Fragments, mpls, pppoe, raw, synOptions, tcp, TCP_FLAG, TcpConversation, udp, vlan, vxlan, type Layer,
} from './builder.ts'
import { PcapWriter } from './mod.ts'

type Fields = Record<string, string[]>

const hasTshark = spawnSync('tshark', ['--version']).status === 0
const skip = hasTshark ? false : 'tshark is not installed'
if (!hasTshark && process.env['CI'] === 'true') throw new Error('Cannot check packets: tshark is missing; install it')

/** What tshark reads in each frame: every value of every field. */
function judge(frames: readonly Uint8Array[]): Fields[] {
  const chunks: Uint8Array[] = []
  const writer = new PcapWriter(chunk => chunks.push(chunk))
  frames.forEach((frame, index) => writer.packet(frame, 1_700_000_000 + index, 5))
  // Through cat, since tshark reads a pipe and not the socket that node gives its children.
  const command = 'cat | tshark -r - -T json -n --no-duplicate-keys -o ip.check_checksum:TRUE ' +
    '-o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE'
  const result = spawnSync('sh', ['-c', command], { input: Buffer.concat(chunks), encoding: 'utf8', maxBuffer: 1 << 28 })
  const packets = JSON.parse(result.stdout) as { _source: { layers: unknown } }[]
  return packets.map(packet => {
    const fields: Fields = {}
    collect(packet._source.layers, fields)
    return fields
  })
}

function collect(value: unknown, into: Fields, name = ''): void {
  if (Array.isArray(value)) {
    for (const item of value) collect(item, into, name)
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) collect(inner, into, key)
  } else {
    (into[name] ??= []).push(String(value))
  }
}

const ports = { sourcePort: 40000, destinationPort: 8999 }
const upper = (): Layer => tcp({ ...ports, sequence: 7, options: synOptions(1400, 7) }, raw('payload'))
const inner = (): Layer => ipv4({}, upper())
const over = (destinationPort: number, layer: Layer): Layer =>
  ethernet({}, ipv4({}, udp({ sourcePort: 50000, destinationPort }, layer)))

/** Packets, and the protocols that tshark must see in them. */
const shapes: ReadonlyArray<readonly [string, Layer]> = [
  ['eth:ethertype:ip:tcp', ethernet({ padded: true }, inner())],
  ['eth:ethertype:ip:tcp', ethernet({}, ipv4({ options: Uint8Array.of(1, 1, 1, 0), tos: 0x28, ttl: 3 }, upper()))],
  ['eth:ethertype:ipv6:tcp', ethernet({}, ipv6({ flowLabel: 0xabcde, trafficClass: 0xff, hopLimit: 9 }, upper()))],
  ['eth:ethertype:ipv6:ipv6.hopopts:ipv6.dstopts:tcp', ethernet({}, ipv6({},
    extension(0, Uint8Array.of(1, 4, 0, 0, 0, 0), extension(60, Uint8Array.of(1, 12, ...new Uint8Array(12)), upper()))))],
  ['eth:ethertype:ip:udp:data', over(9999, raw('datagram'))],
  ['eth:ethertype:ipv6:udp:data', ethernet({}, ipv6({}, udp({ sourcePort: 1, destinationPort: 9999 }, raw('odd'))))],
  ['eth:ethertype:ip:icmp:data', ethernet({}, ipv4({}, icmp(1, 8, 0, Buffer.from('\0\0\0\x01abcdefgh'))))],
  ['eth:ethertype:ipv6:icmpv6:data', ethernet({}, ipv6({}, icmp(58, 128, 0, Buffer.from('\0\0\0\x01abcdefgh'))))],
  ['eth:ethertype:vlan:ethertype:ip:tcp', ethernet({}, vlan(0x6005, inner()))],
  ['eth:ethertype:ieee8021ad:ethertype:vlan:ethertype:ip:tcp',
    ethernet({}, vlan(100, vlan(200, inner()), ETHERTYPE_PROVIDER_VLAN))],
  ['eth:ethertype:mpls:ip:tcp', ethernet({}, mpls([1000, 2000], inner()))],
  ['eth:ethertype:pppoes:ppp:ip:tcp', ethernet({}, pppoe(17, inner()))],
  ['eth:ethertype:pppoes:ppp:ipv6:tcp', ethernet({}, pppoe(17, ipv6({}, upper())))],
  ['eth:ethertype:ip:ip:tcp', ethernet({}, ipv4({}, inner()))],
  ['eth:ethertype:ip:ipv6:tcp', ethernet({}, ipv4({}, ipv6({}, upper())))],
  ['eth:ethertype:ipv6:ip:tcp', ethernet({}, ipv6({}, inner()))],
  ['eth:ethertype:ip:gre:ip:tcp', ethernet({}, ipv4({}, gre({ key: 77, sequence: 5, checksum: true }, inner())))],
  ['eth:ethertype:ip:gre:eth:ethertype:ip:tcp', ethernet({}, ipv4({}, gre({ key: 77 }, ethernet({}, inner()))))],
  ['eth:ethertype:ip:udp:vxlan:eth:ethertype:ip:tcp', over(4789, vxlan(4242, ethernet({}, inner())))],
  ['eth:ethertype:ip:udp:geneve:eth:ethertype:ip:tcp',
    over(6081, geneve(99, ethernet({}, inner()), Uint8Array.of(1, 2, 3, 1, 0, 0, 0, 0)))],
  ['eth:ethertype:ip:udp:geneve:ip:tcp', over(6081, geneve(99, inner()))],
  ['eth:ethertype:ip:udp:gtp:ip:tcp', over(2152, gtpu(0xabcdef01, inner()))],
]

/** Values that must not be there: a wrong length or checksum. */
function faults(fields: Fields): string[] {
  const bad = Object.keys(fields).filter(name => /checksum.*(bad|mismatch)|_ws\.malformed|length\.(bad|invalid)/.test(name))
  const status = Object.entries(fields).filter(([name, values]) =>
    /^(ip|tcp|udp|icmp|icmpv6|gre)\.checksum\.status$/.test(name) && values.includes('0'))
  return [...bad, ...status.map(([name]) => name)]
}

describe('built packets', { skip }, () => {
  test('are what tshark reads in them, with right checksums everywhere', () => {
    const read = judge(shapes.map(([, layer]) => encode(layer)))
    assert.equal(read.length, shapes.length)
    read.forEach((fields, index) => {
      assert.equal(fields['frame.protocols']?.[0]?.replace(':tcp:data', ':tcp'), shapes[index]![0])
      assert.deepEqual(faults(fields), [], shapes[index]![0])
      const verified = ['tcp', 'udp', 'icmp', 'icmpv6'].some(name => fields[`${name}.checksum.status`]?.includes('1'))
      assert.ok(verified, `no checksum was checked in ${shapes[index]![0]}`)
    })
  })

  test('are wrong where they are told to be', () => {
    const wrong = ethernet({}, ipv4({ checksum: 1 }, tcp({ ...ports, checksum: 1 }, raw('x'))))
    const found = faults(judge([encode(wrong)])[0]!).filter(name => name.endsWith('.status'))
    assert.deepEqual(found, ['ip.checksum.status', 'tcp.checksum.status'])
  })

  test('carry their fields', () => {
    const read = judge(shapes.map(([, layer]) => encode(layer)))
    const at = (index: number, field: string): string | undefined => read[index]![field]?.at(-1)
    assert.equal(at(2, 'ipv6.flow'), '0x0abcde')
    assert.equal(at(1, 'ip.ttl'), '3')
    assert.equal(at(0, 'tcp.options.mss_val'), '1400')
    assert.equal(at(0, 'tcp.options.wscale.shift'), '7')
    assert.deepEqual(read[10]!['mpls.label'], ['1000', '2000'])
    assert.equal(at(11, 'pppoe.session_id'), '0x0011')
    assert.equal(at(16, 'gre.key'), '0x0000004d')
    assert.equal(at(18, 'vxlan.vni'), '4242')
    assert.equal(at(19, 'geneve.vni'), '0x000063')
    assert.equal(at(21, 'gtp.teid'), '0xabcdef01')
  })

  test('are joined by tshark when they are fragments', () => {
    const big = udp({ sourcePort: 1, destinationPort: 9999 }, raw(new Uint8Array(3000).fill(65)))
    const v4 = ipv4Fragments({ identification: 42 }, big, 1480).map(layer => encode(ethernet({}, layer)))
    const v6 = ipv6Fragments({}, 0xdeadbeef, big, 1232).map(layer => encode(ethernet({}, layer)))
    const read = judge([...v4, ...v6])
    assert.deepEqual([v4.length, v6.length], [3, 3])
    for (const last of [read[2]!, read[5]!]) {
      assert.equal(last['udp.length']?.[0], '3008')
      assert.deepEqual(faults(last), [])
    }
    const atomic = judge([encode(ethernet({}, ipv6({}, fragmentHeader(1, 0, false, upper()))))])
    assert.equal(atomic[0]!['frame.protocols']?.[0]?.replace(':tcp:data', ':tcp'), 'eth:ethertype:ipv6:ipv6.fraghdr:tcp')
  })
})

describe('a TCP conversation', () => {
  const request = Buffer.from('a question of some length')
  const response = Buffer.from('an answer that is longer than the question')

  test('is one stream without gaps to tshark', { skip }, () => {
    for (const addresses of [{}, { clientAddress: 'fd00::9', serverAddress: 'fd00::8' }]) {
      const options = { ...addresses, mss: 10, serverPort: 8999, clientSequence: 0xfffffff8, serverSequence: 0xffffffff }
      const read = judge(TcpConversation.of([[request, response], [response, request]], options).frames())
      assert.deepEqual(new Set(read.map(fields => fields['tcp.stream']?.[0])), new Set(['0']))
      const analysis = read.flatMap(fields => Object.keys(fields).filter(name => name.startsWith('tcp.analysis.')))
      const faulty = analysis.filter(name => /retransmission|lost_segment|out_of_order|ack_lost/.test(name))
      assert.deepEqual(faulty, [])
      assert.deepEqual(read.flatMap(faults), [])
      const bytes = read.reduce((sum, fields) => sum + Number(fields['tcp.len']?.[0]), 0)
      assert.equal(bytes, 2 * (request.length + response.length))
    }
  })

  test('can be disarranged, segment by segment', () => {
    const conversation = new TcpConversation({ mss: 10 }).open().send('client', request)
    const text = (): string[] => conversation.segments.slice(3).map(segment => Buffer.from(segment.payload).toString())
    assert.deepEqual(text(), ['a question', ' of some l', 'ength'])
    assert.deepEqual(conversation.segments.slice(3).map(segment => segment.sequence), [1001, 1011, 1021])
    assert.equal(conversation.segments.at(-1)!.flags, TCP_FLAG.ACK | TCP_FLAG.PSH)
    conversation.swap(3, 4)
    assert.deepEqual(text(), [' of some l', 'a question', 'ength'])
    conversation.duplicate(3).drop(6)
    assert.deepEqual(text(), [' of some l', ' of some l', 'a question'])
    conversation.resegment(6)
    assert.deepEqual(text(), [' of so', 'me l', ' of so', 'me l', 'a ques', 'tion'])
    assert.deepEqual(conversation.segments.slice(3).map(segment => segment.sequence), [1011, 1017, 1011, 1017, 1001, 1007])
    assert.throws(() => conversation.drop(99), /Cannot take segment 99: the conversation has 9/)
  })

  test('wraps its sequence numbers', () => {
    const conversation = new TcpConversation({ clientSequence: 0xffffffff }).open().send('client', 'abc').reset('server')
    assert.deepEqual(conversation.segments.map(segment => segment.sequence), [0xffffffff, 5000, 0, 0, 5001])
    assert.equal(conversation.segments.at(-1)!.acknowledgement, 3)
  })

  test('refuses addresses that are none', () => {
    assert.throws(() => new TcpConversation({ clientAddress: '10.0.0' }).open().frames(), /"10.0.0": not an IPv4 address/)
    assert.throws(() => encode(ipv6({ source: 'fe80::1%eth0' }, raw(''))), /not an IPv6 address/)
    const mapped = encode(ipv6({ source: '::ffff:192.0.2.1', destination: '1::' }, raw('')))
    assert.equal(Buffer.from(mapped.subarray(8, 40)).toString('hex'), '00000000000000000000ffffc0000201' + '0001' + '0'.repeat(28))
  })
})
