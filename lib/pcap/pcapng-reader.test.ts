import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { BlockWriter } from './testing/blocks.ts'
import { readBytes } from './testing/read-packets.ts'

const PACKET = Uint8Array.of(1, 2, 3, 4, 5)
const OPTION = { NAME: 2, RESOLUTION: 9, TIME_OFFSET: 14 }

describe('pcapng', () => {
  for (const bigEndian of [false, true]) {
    const order = bigEndian ? 'big' : 'little'
    const start = (): BlockWriter => new BlockWriter(bigEndian).section()

    test(`reads interfaces, their names, link types and packets, ${order} endian`, () => {
      const bytes = start()
        .interface(1, [[OPTION.NAME, Buffer.from('eth0')]])
        .interface(101, [[OPTION.NAME, Buffer.from('tun\u0007\u00fc')]])
        .enhanced(1, 1_700_000_000_000_001n, PACKET, { wire: 60 })
        .enhanced(0, 1_700_000_000_000_002n, PACKET.subarray(0, 4))
        .bytes()
      const { packets, warnings, format } = readBytes(bytes)
      assert.equal(format, 'pcapng')
      assert.deepEqual(warnings, {})
      assert.deepEqual(packets.map(({ data, ...rest }) => ({ ...rest, data: [...data] })), [
        { data: [1, 2, 3, 4, 5], wire: 60, seconds: 1_700_000_000, nanoseconds: 1000, linkType: 101, interfaceIndex: 1,
          interfaceName: 'tun\u00fc', direction: 0 },
        { data: [1, 2, 3, 4], wire: 4, seconds: 1_700_000_000, nanoseconds: 2000, linkType: 1, interfaceIndex: 0,
          interfaceName: 'eth0', direction: 0 },
      ])
    })

    test(`reads the time in each resolution and with an offset, ${order} endian`, () => {
      const offset = Buffer.alloc(8)
      if (bigEndian) offset.writeBigInt64BE(-5n)
      else offset.writeBigInt64LE(-5n)
      const writer = start()
      const resolutions = [0, 3, 6, 9, 11, 12, 0x80 | 10, 0x80 | 40]
      for (const resolution of resolutions) {
        writer.interface(1, [[OPTION.RESOLUTION, Uint8Array.of(resolution)], [OPTION.TIME_OFFSET, offset]])
      }
      resolutions.forEach((resolution, id) => {
        const units = resolution & 0x80 ? 2n ** BigInt(resolution & 0x7f) : 10n ** BigInt(resolution)
        writer.enhanced(id, 1_700_000n * units + units / 2n, PACKET)
      })
      const { packets } = readBytes(writer.bytes())
      assert.deepEqual(packets.map(packet => [packet.seconds, packet.nanoseconds]),
        resolutions.map(resolution => [1_699_995, resolution === 0 ? 0 : 500_000_000]))
    })

    test(`reads simple and obsolete packet blocks, ${order} endian`, () => {
      const writer = start().interface(1, [], 3).enhanced(0, 7_000_000n, PACKET)
      writer.block(3, Buffer.concat([writer.u32(5), PACKET.subarray(0, 3)]))
      writer.block(2, Buffer.concat([
        writer.u16(0), writer.u16(0), writer.u32(0), writer.u32(9_000_000), writer.u32(5), writer.u32(77), PACKET,
      ]))
      const { packets, warnings } = readBytes(writer.bytes())
      assert.deepEqual(warnings, {})
      assert.deepEqual(packets.map(packet => [packet.data.length, packet.wire, packet.seconds]),
        [[5, 5, 7], [3, 5, 7], [5, 77, 9]])
    })

    test(`tells the direction that a packet's flags tell, ${order} endian`, () => {
      const writer = start().interface(1)
      for (const flags of [0, 1, 2, 3]) {
        writer.enhanced(0, 1n, PACKET, { options: [[1, Buffer.from('comment')], [2, writer.u32(flags)]] })
      }
      assert.deepEqual(readBytes(writer.bytes()).packets.map(packet => packet.direction), [0, 1, 2, 0])
    })
  }

  test('reads sections of different byte orders, numbering their interfaces on', () => {
    const section = (bigEndian: boolean, name: string): Uint8Array =>
      new BlockWriter(bigEndian).section().interface(1, [[OPTION.NAME, Buffer.from(name)]])
        .enhanced(0, 1_000_000n, PACKET).bytes()
    const { packets } = readBytes(Buffer.concat([section(false, 'a'), section(true, 'b'), section(false, 'c')]))
    assert.deepEqual(packets.map(packet => [packet.interfaceIndex, packet.interfaceName]), [[0, 'a'], [1, 'b'], [2, 'c']])
  })

  test('steps over every block that is no packet, larger than the window too', () => {
    const writer = new BlockWriter(false).section().interface(1)
    for (const type of [4, 5, 10, 0xbad, 0x40000bad, 0x12345678]) writer.block(type, new Uint8Array(64))
    writer.block(0xa, new Uint8Array(900_000)).enhanced(0, 1n, PACKET)
    const { packets, warnings } = readBytes(writer.bytes())
    assert.equal(packets.length, 1)
    assert.deepEqual(warnings, {})
  })

  test('stops at a block whose length cannot be', () => {
    for (const before of [0, 4, 11]) {
      const bytes = new BlockWriter(false).section().interface(1).enhanced(0, 1n, PACKET)
        .block(5, new Uint8Array(8), { before }).enhanced(0, 1n, PACKET).bytes()
      const { packets, warnings } = readBytes(bytes)
      assert.equal(packets.length, 1)
      assert.deepEqual(warnings, { block_length_absurd: 1 }, `length ${before}`)
    }
  })

  test('delivers what is whole of a file that ends inside a block', () => {
    const whole = new BlockWriter(false).section().interface(1).enhanced(0, 1n, PACKET).enhanced(0, 2n, PACKET).bytes()
    // The last block is 40 bytes: 28 of header, 5 of packet, 3 of padding, 4 of length.
    for (const missing of [8, 12, 30, 39]) {
      const { packets, warnings } = readBytes(whole.subarray(0, whole.length - missing))
      assert.equal(packets.length, 1, `${missing} bytes missing`)
      assert.deepEqual(warnings, { file_cut: 1 })
    }
    const late = readBytes(whole.subarray(0, whole.length - 4))
    assert.equal(late.packets.length, 2, 'only the trailing length is missing')
    assert.deepEqual(late.warnings, { file_cut: 1 })
  })

  test('names a length that differs after the block, and goes on', () => {
    const bytes = new BlockWriter(false).section().interface(1).block(5, new Uint8Array(8), { after: 99 })
      .enhanced(0, 1n, PACKET).bytes()
    const { packets, warnings } = readBytes(bytes)
    assert.equal(packets.length, 1)
    assert.deepEqual(warnings, { block_length_mismatch: 1 })
  })

  test('steps over packets that claim more than their block, or an interface that nobody described', () => {
    const bytes = new BlockWriter(false).section().interface(1)
      .enhanced(0, 1n, PACKET, { captured: 9000 })
      .enhanced(0, 1n, PACKET, { captured: 0xffffffff })
      .enhanced(3, 1n, PACKET)
      .enhanced(0, 5_000_000n, PACKET).bytes()
    const { packets, warnings } = readBytes(bytes)
    assert.deepEqual(packets.map(packet => packet.seconds), [5])
    assert.deepEqual(warnings, { packet_length_absurd: 2, interface_unknown: 1 })
  })

  test('steps over blocks too short for their fields', () => {
    const bytes = new BlockWriter(false).section().interface(1).block(6, new Uint8Array(4)).block(1, new Uint8Array(4))
      .block(3, new Uint8Array(0)).enhanced(0, 1n, PACKET).bytes()
    const { packets, warnings } = readBytes(bytes)
    assert.equal(packets.length, 1)
    assert.deepEqual(warnings, { block_short: 3 })
  })

  test('stops at a later section of a version that nobody knows', () => {
    const first = new BlockWriter(false).section().interface(1).enhanced(0, 1n, PACKET).bytes()
    const { packets, warnings } = readBytes(Buffer.concat([first, new BlockWriter(false).section(2).bytes()]))
    assert.equal(packets.length, 1)
    assert.deepEqual(warnings, { section_unknown: 1 })
  })

  test('keeps 4,096 interfaces and counts the packets of others', () => {
    const writer = new BlockWriter(false).section()
    for (let i = 0; i < 4100; i++) writer.interface(1)
    const { packets, warnings } = readBytes(writer.enhanced(4095, 1n, PACKET).enhanced(4099, 1n, PACKET).bytes())
    assert.equal(packets.length, 1)
    assert.deepEqual(warnings, { interface_table_full: 4, interface_unknown: 1 })
  })
})
