import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'

import { ByteMemory } from '../../../lib/bytes/mod.ts'
import {
  encode, ethernet, icmp, ipv4, ipv4Fragments, raw, tcp, TcpConversation, udp,
} from '../../../lib/pcap/builder.ts'
import { PcapWriter } from '../../../lib/pcap/mod.ts'
import { readEvents } from '../dissect/testing/event-reader.ts'
import { HOOK_FILE, PACKET_EVENT } from '../events.gen.ts'
import { RECORD_BYTES_MAX } from '../source.ts'
import { FILE_ANOMALY, FileSource, type FileSourceOptions } from './mod.ts'
import { ledgerOff } from './testing/read-source.ts'

const memory = new ByteMemory()
const ROOM = 2 * RECORD_BYTES_MAX
const batch = memory.reserve(ROOM)
const folder = mkdtempSync(join(tmpdir(), 'lintel-file-'))
after(() => rmSync(folder, { recursive: true }))

type Packet = readonly [seconds: number, nanoseconds: number, frame: Uint8Array]

function open(packets: readonly Packet[], options: FileSourceOptions = {}, linkType = 1): FileSource {
  const chunks: Uint8Array[] = []
  const writer = new PcapWriter(chunk => chunks.push(chunk), linkType)
  for (const [seconds, nanoseconds, frame] of packets) writer.packet(frame, seconds, nanoseconds)
  const path = join(folder, 'made.pcap')
  writeFileSync(path, Buffer.concat(chunks))
  return new FileSource(memory, path, options)
}

function readAll(source: FileSource) {
  const events = []
  while (!source.ended) events.push(...readEvents(memory, batch, source.fill(batch, ROOM)))
  return events
}

const segment = encode(ethernet({}, ipv4({}, tcp({ sourcePort: 1, destinationPort: 80 }, raw('payload')))))
const datagram = encode(ethernet({}, ipv4({}, udp({ sourcePort: 1, destinationPort: 9 }, raw('data')))))

describe('a capture file', () => {
  test('gives its packets in order, with times that add up to the epoch', () => {
    const times = [[1_700_000_000, 5], [1_700_000_001, 999_999_999], [1_699_999_999, 0], [1_702_000_000, 1]] as const
    const source = open(times.map(([seconds, nanoseconds]) => [seconds, nanoseconds, segment]))
    const base = (events: { timeNs: bigint }[]): bigint[] => events.map(event => source.epochNanoseconds() + event.timeNs)
    const events = readAll(source)
    assert.deepEqual(base(events), times.map(([seconds, nanoseconds]) => BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)))
    assert.equal(events[0]!.timeNs, 2n ** 50n)
    assert.ok(events.every(event => event.timeNs < 2n ** 53n && event.hook === HOOK_FILE))
    source.close()
  })

  test('counts packets from long before its first, whose time cannot be told', () => {
    const source = open([[1_700_000_000, 0, segment], [1_600_000_000, 0, segment]])
    assert.deepEqual(readAll(source).map(event => event.timeNs), [2n ** 50n, 0n])
    assert.equal(source.anomalies.of(FILE_ANOMALY.TIME_OUT_OF_RANGE), 1)
    source.close()
  })

  test('delivers a conversation byte for byte in batches of any room', () => {
    const request = 'q'.repeat(5000)
    const frames = TcpConversation.of([[Buffer.from(request), Buffer.from('answer')]], { mss: 700 }).frames()
    const source = open(frames.map((frame, index) => [index, 0, frame] as const))
    const events = []
    while (!source.ended) {
      const bytes = source.fill(batch, RECORD_BYTES_MAX)
      assert.ok(bytes <= RECORD_BYTES_MAX)
      events.push(...readEvents(memory, batch, bytes))
    }
    const sent = events.filter(event => event.source === '10.0.0.1 40000').map(event => event.payload.toString()).join('')
    assert.equal(sent, request)
    assert.equal(events.length, frames.length)
    source.close()
  })

  test('lets time pass at places of the file, whatever of it is wanted', () => {
    const large = encode(ethernet({}, ipv4({}, tcp({ sourcePort: 1, destinationPort: 80 }, raw(new Uint8Array(1400))))))
    const packets = Array.from({ length: 2000 }, (_, index) => [1_700_000_000 + index, 0, large] as const)
    const timesOf = (isWanted: boolean): number[] => {
      const source = open(packets, { filter: () => isWanted })
      const times = []
      while (!source.ended) {
        source.fill(batch, ROOM)
        const time = source.passedTime()
        if (time !== undefined) times.push((time - 2 ** 50) / 1e9)
        assert.equal(source.passedTime(), undefined)
      }
      source.close()
      return times
    }
    assert.deepEqual(timesOf(true), timesOf(false))
    assert.deepEqual([timesOf(true).length, timesOf(true).at(-1)], [3, 1999])
  })

  test('has a ledger that says what became of each frame', () => {
    const big = ipv4Fragments({ identification: 1 }, tcp({ sourcePort: 1, destinationPort: 2 }, raw('x'.repeat(60))), 40)
    const alone = ipv4Fragments({ identification: 2 }, tcp({ sourcePort: 1, destinationPort: 2 }, raw('x'.repeat(60))), 40)
    const frames = [segment, ...big.map(layer => encode(ethernet({}, layer))), encode(ethernet({}, alone[0]!)), datagram,
      encode(ethernet({}, raw('lldp', { ethertype: 0x88cc }))), segment.subarray(0, 30)]
    const source = open(frames.map((frame, index) => [index, 0, frame] as const), {
      filter: (shared, event) => shared.u16[(event + PACKET_EVENT.destination_port) >> 1] !== 9,
    })
    const payloads = readAll(source).map(event => event.payload.length)
    assert.deepEqual(payloads, [7, 60])
    const counters = source.counters()
    assert.deepEqual(counters, {
      seen: 7, delivered: 2, notWanted: new Map([['not_ip', 1], ['fragment', 1], ['filter', 1]]),
      lost: new Map([['header_short', 1], ['fragment_incomplete', 1]]), bytesDelivered: 67, bytesCut: 0,
    })
    assert.equal(ledgerOff(counters), 0)
    source.close()
    assert.deepEqual(source.counters(), counters)
  })

  test('tells once of a link type that nobody knows', () => {
    const notices: string[] = []
    const source = open([[1, 0, segment], [2, 0, segment]], { name: 'strange', notice: message => notices.push(message) }, 147)
    assert.deepEqual(readAll(source), [])
    assert.deepEqual(notices, ['Cannot read packets of link type 147 in "strange": not known; they count as lost'])
    assert.deepEqual([...source.unknownLinkTypes, ...source.counters().lost], [[147, 2], ['link_type_unknown', 2]])
    source.close()
  })

  test('drops wrong checksums when told to, and delivers them when not', () => {
    const wrong = encode(ethernet({}, ipv4({}, tcp({ sourcePort: 1, destinationPort: 2, checksum: 7 }, raw('x')))))
    for (const [verifyChecksums, delivered] of [[false, 2], [true, 1]] as const) {
      const source = open([[1, 0, wrong], [2, 0, segment]], { verifyChecksums })
      assert.equal(readAll(source).length, delivered)
      source.close()
    }
  })

  test('gives back its memory, also when it is closed early or twice', () => {
    const before = memory.allocator.allocatedBytes()
    const fragment = encode(ethernet({}, ipv4({ moreFragments: true }, raw('x'.repeat(800), { protocol: 17 }))))
    const source = open([[1, 0, fragment], [2, 0, encode(ethernet({}, ipv4({}, icmp(1, 8, 0, Buffer.alloc(8)))))]])
    source.fill(batch, RECORD_BYTES_MAX)
    source.close()
    source.close()
    assert.ok(source.ended)
    assert.equal(source.fill(batch, ROOM), 0)
    assert.equal(memory.allocator.allocatedBytes(), before)
    assert.throws(() => new FileSource(memory, join(folder, 'missing')), /Cannot open capture file ".*missing": no such file/)
    assert.equal(memory.allocator.allocatedBytes(), before)
  })
})
