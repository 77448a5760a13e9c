import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ByteMemory } from '../../lib/bytes/mod.ts'
import { encode, ethernet, ipv4, ipv4Fragments, ipv6, raw, tcp, udp, vlan, type Layer } from '../../lib/pcap/builder.ts'
import { Dissector, FrameMeta, LINK_TYPE } from './dissect/mod.ts'
import { FlowShares, SHARE_UNKNOWN } from './flow-share.ts'
import { FRAME_BYTES, RECORD_BYTES_MAX } from './source.ts'

const COUNT = 1000
const memory = new ByteMemory()
const place = memory.reserve(2048)
const out = memory.reserve(RECORD_BYTES_MAX)
const dissector = new Dissector(memory)
const meta = new FrameMeta()
const shares = new FlowShares(COUNT)

/** What the quick look says, and what the event says. */
function both(bytes: Uint8Array, linkType: number = LINK_TYPE.ETHERNET, captured = bytes.length): [frame: number, event: number] {
  memory.write(place + 1, bytes)
  const frame = shares.ofFrame(memory.u8, place + 1, captured, linkType)
  const written = dissector.dissect(place + 1, captured, bytes.length, linkType, meta, out)
  return [frame, written === 0 ? SHARE_UNKNOWN : shares.ofEvent(memory, out + FRAME_BYTES)]
}

const forth = (port: number): Layer => tcp({ sourcePort: port, destinationPort: 80 }, raw('GET /'))
const back = (port: number): Layer => tcp({ sourcePort: 80, destinationPort: port }, raw('HTTP'))
const v4 = (inner: Layer): Layer => ipv4({ source: '10.1.2.3', destination: '10.9.8.7' }, inner)
const v4Back = (inner: Layer): Layer => ipv4({ source: '10.9.8.7', destination: '10.1.2.3' }, inner)
const v6 = (inner: Layer): Layer => ipv6({ source: 'fd00::1', destination: 'fd00::2' }, inner)
const cooked = (bytes: number, at: number, ip: Layer): Uint8Array => {
  const header = Buffer.alloc(bytes)
  header.writeUInt16BE(0x0800, at)
  return Buffer.concat([header, encode(ip)])
}

describe('the share of a frame', () => {
  test('is that of its event, on every plain way', () => {
    const frames: [Uint8Array, number][] = [
      [encode(ethernet({}, v4(forth(4000)))), LINK_TYPE.ETHERNET],
      [encode(ethernet({}, v6(forth(4000)))), LINK_TYPE.ETHERNET],
      [encode(ethernet({}, vlan(5, v4(forth(4000))))), LINK_TYPE.ETHERNET],
      [encode(ethernet({}, vlan(5, vlan(6, v6(forth(4000)))))), LINK_TYPE.ETHERNET],
      [cooked(16, 14, v4(forth(4000))), LINK_TYPE.LINUX_SLL],
      [cooked(20, 0, v4(forth(4000))), LINK_TYPE.LINUX_SLL2],
    ]
    for (const [bytes, linkType] of frames) {
      const [frame, event] = both(bytes, linkType)
      assert.equal(frame, event)
      assert.ok(frame >= 0 && frame < COUNT)
    }
  })

  test('is one for both directions, and spreads over the workers', () => {
    const seen = new Set<number>()
    for (let port = 1024; port < 1524; port++) {
      const [frame] = both(encode(ethernet({}, v4(forth(port)))))
      assert.equal(frame, both(encode(ethernet({}, v4Back(back(port)))))[0])
      seen.add(frame)
    }
    assert.ok(seen.size > 350, `${seen.size} of ${COUNT} shares for 500 flows`)
  })

  test('is not told of what only a dissection can read', () => {
    const [fragment] = ipv4Fragments({ identification: 1 }, forth(4000), 16)
    const odd = [encode(ethernet({}, fragment!)), encode(ethernet({}, v4(udp({ sourcePort: 1, destinationPort: 2 }, raw('x'))))),
      encode(ethernet({}, v4(v4(forth(4000))))), encode(ethernet({}, raw('lldp', { ethertype: 0x88cc })))]
    for (const bytes of odd) assert.equal(both(bytes)[0], SHARE_UNKNOWN)
    assert.equal(both(odd[0]!, 9999)[0], SHARE_UNKNOWN)
  })

  test('is not told of a frame that is cut before its ports end', () => {
    for (const ip of [v4, v6]) {
      const bytes = encode(ethernet({}, vlan(5, ip(forth(4000)))))
      const whole = 18 + (ip === v4 ? 20 : 40) + 4
      for (let captured = 0; captured < whole; captured++) assert.equal(both(bytes, LINK_TYPE.ETHERNET, captured)[0], SHARE_UNKNOWN)
      assert.notEqual(both(bytes, LINK_TYPE.ETHERNET, whole)[0], SHARE_UNKNOWN)
    }
  })
})
