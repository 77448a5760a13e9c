import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import {
  encode, ethernet, fragmentHeader, gre, ipv4, ipv4Fragments, ipv6, ipv6Fragments, raw, tcp, udp, vxlan, type Layer,
} from '../../../lib/pcap/builder.ts'
import { FLAG_REASSEMBLED } from '../events.gen.ts'
import { DATAGRAMS_MAX, FRAGMENT_BYTES_MAX } from './fragment-table.ts'
import { DISSECT_ANOMALY, DISSECT_OUTCOME } from './mod.ts'
import { BenchTop } from './testing/bench-top.ts'

const SECOND = 1e9

function text(length: number): string {
  return Array.from({ length }, (_, index) => String.fromCharCode(97 + (index * 7) % 26)).join('')
}

const upper = (length: number): Layer => tcp({ sourcePort: 40000, destinationPort: 80, sequence: 5 }, raw(text(length)))
const frame = (layer: Layer): Uint8Array => encode(ethernet({}, layer))
const whole4 = (length = 100, bytes = 24): Uint8Array[] => ipv4Fragments({ identification: 7 }, upper(length), bytes).map(frame)
const whole6 = (length = 100, bytes = 24): Uint8Array[] => ipv6Fragments({}, 7, upper(length), bytes).map(frame)

/** One piece of a datagram, made by hand. */
function piece(offset: number, data: string, more: boolean, version = 4, identification = 7): Uint8Array {
  const payload = raw(data, { protocol: 6 })
  return frame(version === 4
    ? ipv4({ identification, fragmentOffset: offset, moreFragments: more }, payload)
    : ipv6({}, fragmentHeader(identification, offset, more, payload)))
}

function setTime(bench: BenchTop, nanoseconds: number): void {
  bench.meta.timeHigh = Math.floor(nanoseconds / 2 ** 32)
  bench.meta.timeLow = nanoseconds % 2 ** 32
}

function anomalies(bench: BenchTop): Record<string, number> {
  return Object.fromEntries(bench.dissector.anomalies.entries())
}

/** Feeds the frames, of which the last one must complete the datagram. @returns its event */
function complete(bench: BenchTop, frames: readonly Uint8Array[]) {
  frames.slice(0, -1).forEach((one, index) => {
    assert.equal(bench.frame(one).outcome, 'FRAGMENT', `fragment ${index}`)
  })
  const { event, outcome } = bench.frame(frames.at(-1)!)
  assert.equal(outcome, 'DELIVERED')
  assert.ok(event !== undefined)
  assert.equal(event.flags & FLAG_REASSEMBLED, FLAG_REASSEMBLED)
  return event
}

describe('fragments', () => {
  for (const [name, whole] of [['IPv4', whole4], ['IPv6', whole6]] as const) {
    test(`of ${name} are joined in any order`, () => {
      for (let round = 0; round < 40; round++) {
        const frames = whole()
        for (let i = frames.length - 1; i > 0; i--) {
          const j = (round * 7 + i * 3) % (i + 1)
          const kept = frames[i]!
          frames[i] = frames[j]!
          frames[j] = kept
        }
        const bench = new BenchTop()
        const event = complete(bench, frames)
        assert.equal(event.payload.toString(), text(100))
        assert.deepEqual([event.protocol, event.sequence, event.payloadLength], [6, 5, 100])
        assert.deepEqual(bench.dissector.fragments.waiting, 0)
        assert.equal(bench.dissector.fragments.heldBytes, 0)
      }
    })

    test(`of ${name} that are large fill 64 KiB`, () => {
      const bench = new BenchTop()
      assert.equal(complete(bench, whole(65_000, 1480)).payload.toString(), text(65_000))
      assert.deepEqual(anomalies(bench), {})
    })

    test(`of ${name} that come twice are counted and do no harm`, () => {
      const frames = whole()
      const bench = new BenchTop()
      const event = complete(bench, [...frames.slice(0, -1), frames[0]!, frames[1]!, frames.at(-1)!])
      assert.equal(event.payload.toString(), text(100))
      assert.deepEqual(anomalies(bench), { fragment_duplicate: 2 })
    })
  }

  test('inside tunnels are joined, with what carries them fragmented too', () => {
    const inner = ipv4Fragments({ identification: 9 }, upper(3000), 1480)
    const bench = new BenchTop()
    const carried = inner.map(layer => frame(ipv4({}, udp({ sourcePort: 5, destinationPort: 4789 }, vxlan(3, ethernet({}, layer))))))
    assert.equal(complete(bench, carried).payload.toString(), text(3000))
    const outer = inner.flatMap((layer, index) =>
      ipv4Fragments({ identification: 100 + index }, gre({ key: 1 }, layer), 512).map(frame))
    const event = complete(bench, outer)
    assert.equal(event.payload.toString(), text(3000))
    assert.deepEqual([event.tunnelId, event.tunnelDepth], [1, 1])
    bench.dissector.close()
    assert.equal(bench.allocatedBytes, 0)
  })

  test('of other datagrams, protocols and virtual networks are kept apart', () => {
    const bench = new BenchTop()
    const [first, second] = ipv4Fragments({ identification: 1 }, upper(40), 40) as [Layer, Layer]
    assert.equal(bench.frame(frame(first)).outcome, 'FRAGMENT')
    const [, otherId] = ipv4Fragments({ identification: 2 }, upper(40), 40) as [Layer, Layer]
    const [, otherAddress] = ipv4Fragments({ identification: 1, source: '10.9.9.9' }, upper(40), 40) as [Layer, Layer]
    const otherProtocol = ipv4({ identification: 1, fragmentOffset: 40, protocol: 17 }, raw('x'.repeat(20)))
    const otherNetwork = ipv4({}, gre({ key: 5 }, second))
    for (const other of [otherId, otherAddress, otherProtocol, otherNetwork]) {
      assert.equal(bench.frame(frame(other)).outcome, 'FRAGMENT')
    }
    assert.equal(bench.dissector.fragments.waiting, 5)
    assert.equal(bench.frame(frame(second)).event?.payload.toString(), text(40))
  })

  test('that overlap: IPv4 keeps what came first', () => {
    const bench = new BenchTop()
    const header = Buffer.from(encode(tcp({ sourcePort: 40000, destinationPort: 80 }, raw('')))).toString('latin1')
    const event = complete(bench, [
      piece(0, header + 'AAAA', true),
      piece(24, 'BBBBBBBB', true),
      piece(24, 'CCCCCCCCDDDDDDDD', true),
      piece(40, 'EEE', false),
    ])
    assert.equal(event.payload.toString(), 'AAAABBBBBBBBDDDDDDDDEEE')
    assert.deepEqual(anomalies(bench), { fragment_overlap: 1 })
  })

  test('that overlap: IPv6 drops the datagram and all that still comes of it', () => {
    const bench = new BenchTop()
    assert.equal(bench.frame(piece(0, 'x'.repeat(24), true, 6)).outcome, 'FRAGMENT')
    assert.equal(bench.frame(piece(16, 'x'.repeat(24), true, 6)).outcome, 'FRAGMENT_INCOMPLETE')
    assert.equal(bench.frame(piece(40, 'end', false, 6)).outcome, 'FRAGMENT_INCOMPLETE')
    assert.deepEqual(anomalies(bench), { fragment_overlap: 1 })
    assert.deepEqual([bench.dissector.fragments.framesGivenUp, bench.dissector.fragments.heldBytes], [1, 0])
  })

  test('with a moved end, no data, a bad length or too much are refused by name', () => {
    const cases: ReadonlyArray<readonly [string, Uint8Array[], string]> = [
      ['fragment_end_moved', [piece(16, 'end', false), piece(24, 'more....', true)], 'FRAGMENT_MALFORMED'],
      ['fragment_end_moved', [piece(16, 'end', false), piece(16, 'other end', false)], 'FRAGMENT_MALFORMED'],
      ['fragment_end_moved', [piece(40, 'x'.repeat(8), true), piece(16, 'end', false)], 'FRAGMENT_MALFORMED'],
      ['fragment_empty', [piece(16, '', false)], 'FRAGMENT_MALFORMED'],
      ['fragment_empty', [piece(16, '', true)], 'FRAGMENT_MALFORMED'],
      ['fragment_length', [piece(8, 'x'.repeat(9), true, 6)], 'FRAGMENT_MALFORMED'],
      ['fragment_length', [piece(8, 'x'.repeat(9), true)], 'FRAGMENT'],
      ['fragment_oversize', [piece(65_528, 'x'.repeat(8), false)], 'FRAGMENT_MALFORMED'],
      ['fragment_oversize', [piece(65_528, 'x'.repeat(16), false, 6)], 'FRAGMENT_MALFORMED'],
      ['fragment_tiny', [piece(0, 'x'.repeat(8), true)], 'FRAGMENT'],
    ]
    for (const [name, frames, outcome] of cases) {
      const bench = new BenchTop()
      const outcomes = frames.map(one => bench.frame(one).outcome)
      assert.equal(outcomes.at(-1), outcome, name)
      assert.deepEqual(anomalies(bench), { [name]: 1 })
      bench.dissector.close()
    }
  })

  test('that the capture has cut are lost by name', () => {
    const [first] = whole4(100, 80)
    const { outcome } = new BenchTop().frame(first!.subarray(0, first!.length - 1), { wire: first!.length })
    assert.equal(outcome, 'FRAGMENT_CUT')
  })

  test("take the first fragment's protocol in IPv6", () => {
    const [first, second] = ipv6Fragments({}, 7, upper(40), 40).map(frame) as [Uint8Array, Uint8Array]
    const lying = Uint8Array.from(second)
    lying[14 + 40] = 17
    assert.equal(complete(new BenchTop(), [lying, first]).protocol, 6)
  })

  test('are given up after 30 s of packet time', () => {
    const bench = new BenchTop()
    const frames = whole4(100, 64)
    setTime(bench, 2 ** 50)
    assert.equal(bench.frame(frames[0]!).outcome, 'FRAGMENT')
    setTime(bench, 2 ** 50 + 30 * SECOND)
    assert.equal(bench.frame(frames[1]!).outcome, 'FRAGMENT')
    assert.deepEqual(anomalies(bench), { fragment_timeout: 1 })
    assert.deepEqual([bench.dissector.fragments.waiting, bench.dissector.fragments.framesGivenUp], [1, 1])
    setTime(bench, 2 ** 50 + 60 * SECOND - 1)
    assert.equal(bench.frame(frames[0]!).outcome, 'DELIVERED')
  })

  test('never take more than 1,024 datagrams: the oldest goes', () => {
    const bench = new BenchTop()
    const send = (id: number, index: number): string =>
      bench.frame(frame(ipv4Fragments({ identification: id }, upper(40), 40)[index]!)).outcome
    for (let id = 0; id < DATAGRAMS_MAX + 3; id++) assert.equal(send(id, 0), 'FRAGMENT')
    assert.equal(bench.dissector.fragments.waiting, DATAGRAMS_MAX)
    assert.deepEqual(anomalies(bench), { fragment_table_full: 3 })
    assert.equal(send(3, 1), 'DELIVERED')
    assert.equal(send(2, 1), 'FRAGMENT')
    bench.dissector.close()
    assert.equal(bench.allocatedBytes, 0)
    assert.equal(bench.dissector.fragments.framesGivenUp, DATAGRAMS_MAX + 3 + 1 - 1)
  })

  test('never take more than 8 MiB: the oldest goes', () => {
    const bench = new BenchTop()
    for (let id = 0; id < 200; id++) {
      bench.frame(piece(60_000, 'x'.repeat(1000), true, 4, id))
      assert.ok(bench.dissector.fragments.heldBytes <= FRAGMENT_BYTES_MAX)
    }
    assert.equal(bench.dissector.fragments.waiting, Math.floor(FRAGMENT_BYTES_MAX / (65_536 + 1024)))
    assert.equal(bench.dissector.anomalies.of(DISSECT_ANOMALY.FRAGMENT_MEMORY_FULL), 200 - bench.dissector.fragments.waiting)
    bench.dissector.close()
    assert.equal(bench.allocatedBytes, 0)
  })

  test('of an attacker who sends anything leave an exact ledger and no memory', () => {
    const bench = new BenchTop()
    let state = 42
    const random = (below: number): number => {
      state = Math.imul(state, 1103515245) + 12345 | 0
      return (state >>> 8) % below
    }
    for (let i = 0; i < 20_000; i++) {
      const offset = random(40) * 8
      setTime(bench, 2 ** 50 + i * 1e6)
      bench.frame(piece(offset, 'y'.repeat(random(60)), random(4) > 0, random(2) === 0 ? 4 : 6, random(300)))
    }
    const { outcomes } = bench.dissector
    const total = Object.values(DISSECT_OUTCOME).reduce((sum: number, index) => sum + outcomes.of(index), 0)
    assert.equal(total, 20_000)
    bench.dissector.close()
    assert.deepEqual([bench.allocatedBytes, bench.dissector.fragments.heldBytes, bench.dissector.fragments.waiting], [0, 0, 0])
    assert.ok(bench.dissector.fragments.framesGivenUp <= outcomes.of(DISSECT_OUTCOME.FRAGMENT))
  })
})
