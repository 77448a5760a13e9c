import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { PcapWriter } from './mod.ts'
import { readBytes } from './testing/read-packets.ts'

interface Shape {
  magic: number
  bigEndian: boolean
  minor?: number
  linkType?: number
  modified?: boolean
}

/** A file of raw records: seconds, fraction, captured, wire, bytes. */
function file(shape: Shape, records: ReadonlyArray<readonly [number, number, number, number, Uint8Array]>): Buffer {
  const u32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4)
    if (shape.bigEndian) bytes.writeUInt32BE(value >>> 0)
    else bytes.writeUInt32LE(value >>> 0)
    return bytes
  }
  const version = Buffer.alloc(4)
  if (shape.bigEndian) version.writeUInt32BE(0x20000 + (shape.minor ?? 4))
  else version.writeUInt32LE(2 + ((shape.minor ?? 4) << 16))
  const parts = [u32(shape.magic), version, u32(0), u32(0), u32(65535), u32(shape.linkType ?? 1)]
  for (const [seconds, fraction, captured, wire, bytes] of records) {
    parts.push(u32(seconds), u32(fraction), u32(captured), u32(wire))
    if (shape.modified === true) parts.push(u32(7), u32(0))
    parts.push(Buffer.from(bytes))
  }
  return Buffer.concat(parts)
}

const PACKET = Uint8Array.of(1, 2, 3, 4, 5)
const LITTLE = { magic: 0xa1b2c3d4, bigEndian: false }

describe('pcap', () => {
  for (const bigEndian of [false, true]) {
    const order = bigEndian ? 'big' : 'little'

    test(`reads microseconds, ${order} endian`, () => {
      const { packets, warnings } = readBytes(file({ magic: 0xa1b2c3d4, bigEndian }, [[4e9, 999_999, 5, 60, PACKET]]))
      assert.deepEqual(warnings, {})
      const [packet] = packets
      assert.equal(packets.length, 1)
      assert.deepEqual([packet!.seconds, packet!.nanoseconds, packet!.wire], [4e9, 999_999_000, 60])
      assert.deepEqual([...packet!.data], [...PACKET])
    })

    test(`reads nanoseconds, ${order} endian`, () => {
      const { packets } = readBytes(file({ magic: 0xa1b23c4d, bigEndian }, [[1, 999_999_999, 5, 5, PACKET]]))
      assert.deepEqual([packets[0]!.seconds, packets[0]!.nanoseconds], [1, 999_999_999])
    })

    test(`reads the modified format with its interface index, ${order} endian`, () => {
      const shape = { magic: 0xa1b2cd34, bigEndian, modified: true }
      const { packets } = readBytes(file(shape, [[1, 2, 5, 5, PACKET], [3, 4, 5, 5, PACKET]]))
      assert.deepEqual(packets.map(packet => [packet.seconds, packet.interfaceIndex]), [[1, 7], [3, 7]])
    })
  }

  test('carries a fraction of more than a second over', () => {
    const { packets } = readBytes(file(LITTLE, [[10, 2_500_000, 5, 5, PACKET]]))
    assert.deepEqual([packets[0]!.seconds, packets[0]!.nanoseconds], [12, 500_000_000])
  })

  test('takes the lengths the other way round in version 2.2, and either way in 2.3', () => {
    const old = readBytes(file({ ...LITTLE, minor: 2 }, [[1, 0, 60, 5, PACKET]]))
    const between = readBytes(file({ ...LITTLE, minor: 3 }, [[1, 0, 60, 5, PACKET], [1, 0, 5, 60, PACKET]]))
    assert.deepEqual([...old.packets, ...between.packets].map(packet => [packet.data.length, packet.wire]),
      [[5, 60], [5, 60], [5, 60]])
  })

  test('keeps the link type without the check sequence bits beside it', () => {
    const { packets } = readBytes(file({ ...LITTLE, linkType: 0x54000001 }, [[1, 0, 5, 5, PACKET]]))
    assert.equal(packets[0]!.linkType, 1)
  })

  test('delivers what is whole of a file that ends inside a packet, with one warning', () => {
    const whole = file(LITTLE, [[1, 0, 5, 5, PACKET], [2, 0, 5, 5, PACKET]])
    for (const missing of [1, 4, 5, 6, 20]) {
      const { packets, warnings } = readBytes(whole.subarray(0, whole.length - missing))
      assert.equal(packets.length, 1, `${missing} bytes missing`)
      assert.deepEqual(warnings, { file_cut: 1 })
    }
    assert.deepEqual(readBytes(whole.subarray(0, 24 + 21)).warnings, {}, 'a file that ends between packets is whole')
  })

  test('stops at a length that leads nowhere', () => {
    const { packets, warnings } = readBytes(file(LITTLE, [[1, 0, 5, 5, PACKET], [2, 0, 0xfffffff0, 5, PACKET]]))
    assert.equal(packets.length, 1)
    assert.deepEqual(warnings, { packet_length_absurd: 1 })
  })

  test('steps over a packet of more than 256 KiB that is really there', () => {
    const huge = new Uint8Array(400_000)
    const { packets, warnings } = readBytes(file(LITTLE, [[1, 0, huge.length, huge.length, huge], [2, 0, 5, 5, PACKET]]))
    assert.deepEqual(packets.map(packet => packet.seconds), [2])
    assert.deepEqual(warnings, { packet_too_long: 1 })
  })

  test('reads a packet of 256 KiB and an empty one', () => {
    const large = new Uint8Array(262_144).fill(9)
    const { packets, warnings } = readBytes(file(LITTLE, [[1, 0, large.length, large.length, large], [2, 0, 0, 60, Buffer.alloc(0)]]))
    assert.deepEqual(packets.map(packet => packet.data.length), [262_144, 0])
    assert.ok(packets[0]!.data.every(byte => byte === 9))
    assert.deepEqual(warnings, {})
  })

  test('believes the captured length over a smaller wire length', () => {
    const { packets, warnings } = readBytes(file(LITTLE, [[1, 0, 5, 3, PACKET]]))
    assert.equal(packets[0]!.wire, 5)
    assert.deepEqual(warnings, { captured_over_wire: 1 })
  })

  test('gives back what the writer wrote, over many windows', () => {
    const chunks: Uint8Array[] = []
    const writer = new PcapWriter(chunk => chunks.push(chunk), 101)
    const lengths = Array.from({ length: 3000 }, (_, index) => (index * 37) % 1500)
    lengths.forEach((length, index) => writer.packet(new Uint8Array(length).fill(index), index, 999_999_999 - index, length + 4))
    const { packets, warnings } = readBytes(Buffer.concat(chunks))
    assert.deepEqual(warnings, {})
    assert.equal(packets.length, lengths.length)
    packets.forEach((packet, index) => {
      assert.deepEqual([packet.data.length, packet.wire, packet.seconds, packet.nanoseconds, packet.linkType],
        [lengths[index], lengths[index]! + 4, index, 999_999_999 - index, 101])
      assert.ok(packet.data.every(byte => byte === (index & 255)), `packet ${index}`)
    })
  })
})
