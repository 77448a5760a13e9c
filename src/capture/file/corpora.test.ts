import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'

import { ByteMemory } from '../../../lib/bytes/mod.ts'
import { openCapture, READ } from '../../../lib/pcap/mod.ts'
import { Dissector, FrameMeta } from '../dissect/mod.ts'
import { RECORD_BYTES_MAX } from '../source.ts'
import { FileSource } from './mod.ts'
import { captures, capturePath, corporaMissing, type CaptureTruth } from './testing/corpora.ts'
import { ledgerOff, readSource } from './testing/read-source.ts'

const BATCH_BYTES = 1 << 20
const memory = new ByteMemory()
const batch = memory.reserve(BATCH_BYTES)
const files = captures()

/** Packets counted otherwise by tshark, and why. */
const PACKETS_DIFFER = new Map([
  // Journal, custom and other blocks, which tshark shows as records.
  ...['be', 'le'].flatMap(order => [['017', 0], ['018', 4], ['102', 5], ['202', 8]].map(([name, count]) =>
    [`gopacket/pcapgo/tests/${order}/test${name}.pcapng`, count] as const)),
])

/** What a trait of the truth is called in the dissector's layers. */
const TRAIT_LAYERS: Readonly<Record<string, string>> = {
  ipv6: 'ipv6', vlan: 'vlan', qinq: 'qinq', mpls: 'mpls', vxlan: 'vxlan', gre: 'gre', geneve: 'geneve',
  ipv4_fragment: 'ipv4_fragment', ipv6_fragment: 'ipv6_fragment',
}

/** Traits that tshark and we see differently, and why. `+`: we see it, `-`: tshark does. */
const TRAITS_DIFFER: Readonly<Record<string, string>> = {
  // Packet contents inside other protocols: quoted by ICMP, sampled by sFlow.
  'ndpi/pcap/fuzz-2006-06-26-2594.pcap': '-ipv6',
  'ndpi/pcap/fuzz-2020-02-16-11740.pcap': '-ipv6',
  'tcpdump/tests/sflow_expanded.pcap': '-vlan',
  // Two tags, of which tshark counts 802.1ad as none.
  'pcapplusplus/Tests/Packet++Test/PacketExamples/QinQ_802.1_AD.pcapng': '+qinq',
  'tcpdump/tests/802.1ad_QinQ.pcap': '+qinq',
  'tcpdump/tests/arp-too-long-tha.pcap': '+vlan',
  // The header is cut, or its first nibble is not its version.
  'pcapplusplus/Tests/Pcap++Test/PcapExamples/ip4_bad_fragment.pcap': '-ipv4_fragment',
  'tcpdump/tests/LINKTYPE_IPV4_invalid.pcap': '-ipv6',
  'tcpdump/tests/ip_printroute_asan.pcap': '-ipv4_fragment',
  'tcpdump/tests/ipv6_39_byte_header.pcap': '-ipv6',
  'tcpdump/tests/ipv6_invalid_length.pcap': '-ipv6',
  'tcpdump/tests/kday1.pcap': '-ipv6',
  'tcpdump/tests/kday3.pcap': '-ipv6',
  'zeek-btest/traces/trunc/ip6-trunc.pcap': '-ipv6',
  'zeek-btest/traces/trunc/mpls-6in6-broken.pcap.gz': '-ipv4_fragment',
  // Link types and EtherTypes that are not read: 802.15.4, Arista's time stamps.
  'tcpdump/tests/802_15_4-data.pcap': '-ipv6',
  'tcpdump/tests/arista_ether.pcap': '-vlan -mpls',
  // Atomic fragments, which are whole packets (RFC 6946); and one that tshark gave up before its fragment header.
  'tcpdump/tests/icmpv6-rfc7112.pcap': '-ipv6_fragment',
  'zeek-btest/traces/ipv6-http-atomic-frag.pcap': '-ipv6_fragment',
  'tcpdump/tests/ipv6_frag6_negative_len.pcap': '+ipv6_fragment',
  // SLIP, which tshark does not read.
  'tcpdump/tests/cve2015-0261-crash.pcap': '+ipv6',
  'tcpdump/tests/cve2015-0261-ipv6.pcap': '+ipv6',
  'tcpdump/tests/icmp6_nodeinfo_oobr.pcap': '+ipv6',
  // tshark does not know Linux's own VXLAN port.
  'tcpdump/tests/vxlan_port_8472.pcap': '+vxlan',
}

/** TCP endpoint pairs that we count, where tshark counts other streams, and why. */
const STREAMS_DIFFER: Readonly<Record<string, number>> = {
  // Streams that tshark finds in what ICMP quotes.
  'ndpi/pcap/6in4tunnel.pcap': 5,
  'ndpi/pcap/fuzz-2006-09-29-28586.pcap': 36,
  // Ports used again: one pair, several connections.
  'pcapplusplus/Tests/ExamplesTest/pcap_examples/tcp-reassembly.pcap': 1,
  // The TCP header's length is impossible.
  'ndpi/pcap/ip_fragmented_garbage.pcap': 2,
  'ndpi/pcap/kerberos_fuzz.pcapng': 0,
  'pcapplusplus/Tests/Packet++Test/PacketExamples/tcp-malformed.pcap': 0,
  // Link types that are not read: ARCNET; a sample inside sFlow.
  'tcpdump/tests/arcnet-rfc1051-arp-icmp-http.pcap': 0,
  'tcpdump/tests/arcnet-rfc1201-arp-icmp-http.pcap': 0,
  'tcpdump/tests/sflow_expanded.pcap': 0,
  // A first fragment alone, or one that the capture has cut.
  'tcpdump/tests/bgp-bgp_capabilities_print-oobr-1.pcap': 0,
  'tcpdump/tests/bgp-bgp_capabilities_print-oobr-2.pcap': 0,
  'tcpdump/tests/bgp_pmsi_tunnel-oobr.pcap': 0,
  'tcpdump/tests/rpki-rtr-oobr.pcap': 0,
  // Teredo between clients, on ports that tshark does not know.
  'zeek-btest/traces/tunnels/Teredo.pcap': 5,
  'zeek-btest/traces/tunnels/teredo_bubble_with_payload.pcap': 1,
}

/** Files that tshark does not read to their end: only that they are read is asked of them. */
function known(truth: CaptureTruth): boolean {
  return truth.opens
}

describe('public captures', { skip: corporaMissing }, () => {
  const results = files.map(truth => {
    const source = new FileSource(memory, capturePath(truth.file))
    const summary = readSource(memory, source, batch, BATCH_BYTES)
    const counters = source.counters()
    const layers = source.dissector.layers.entries()
    source.close()
    return { truth, summary, counters, layers }
  })

  test('are there', () => assert.ok(files.length >= 1500, `${files.length} files`))

  test('have an exact ledger, each', () => {
    for (const { truth, summary, counters } of results) {
      assert.equal(ledgerOff(counters), 0, truth.file)
      assert.equal(summary.events, counters.delivered, truth.file)
    }
  })

  test('have as many packets as tshark counts, but for those listed', () => {
    const differ = results.filter(({ truth, counters }) => known(truth) && counters.seen !== truth.packets)
    assert.deepEqual(new Map(differ.map(({ truth, counters }) => [truth.file, counters.seen])), PACKETS_DIFFER)
  })

  test('have the layers that tshark sees, but for those listed', () => {
    const differ: Record<string, string> = {}
    for (const { truth, layers } of results) {
      const marks = Object.entries(TRAIT_LAYERS)
        .filter(([trait, layer]) => known(truth) && (trait in truth.traits) !== layers.has(layer))
        .map(([trait, layer]) => `${layers.has(layer) ? '+' : '-'}${trait}`)
      if (marks.length > 0) differ[truth.file] = marks.join(' ')
    }
    assert.deepEqual(differ, TRAITS_DIFFER)
  })

  test('have the TCP streams that tshark sees, but for those listed', () => {
    const differ = results.filter(({ truth, summary }) => known(truth) && summary.tcpPairs !== truth.tcp_streams)
    assert.deepEqual(Object.fromEntries(differ.map(({ truth, summary }) => [truth.file, summary.tcpPairs])), STREAMS_DIFFER)
  })

  test('take no more memory than their windows and 8 MiB of fragments, and give it all back', () => {
    assert.ok(memory.allocator.allocatedBytesPeak() <= (1 << 20) + (8 << 20) * 1.25)
    assert.equal(memory.allocator.allocatedBytes(), 0)
  })
})

/** Whole numbers below a bound, the same for the same seed. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 4294967296) * below)
  }
}

/** Frames of a capture with their link types, through the reader. */
function framesOf(file: string): { frame: Uint8Array; wire: number; linkType: number }[] {
  const region = { bytes: new Uint8Array(1 << 20), offset: 0, length: 1 << 20 }
  const capture = openCapture(capturePath(file), region)
  const frames = []
  while (capture.reader.next() === READ.PACKET && frames.length < 300) {
    const { at, captured, wire, linkType } = capture.reader.cursor
    frames.push({ frame: region.bytes.slice(at, at + captured), wire, linkType })
  }
  capture.close()
  return frames
}

describe('damaged captures', { skip: corporaMissing }, () => {
  const sample = files.filter((_, index) => index % 10 === 3)
  const frameAt = memory.reserve(1 << 19)
  const folder = mkdtempSync(join(tmpdir(), 'lintel-damaged-'))
  after(() => rmSync(folder, { recursive: true }))
  const meta = new FrameMeta()

  test('cut at any usual snap length are told, never thrown', () => {
    let seen = 0
    for (const { file } of sample) {
      const frames = framesOf(file)
      for (const snap of [54, 68, 96, 128, 256]) {
        const dissector = new Dissector(memory)
        for (const { frame, wire, linkType } of frames) {
          const kept = Math.min(snap, frame.length)
          memory.write(frameAt, frame.subarray(0, kept))
          dissector.dissect(frameAt, kept, wire, linkType, meta, batch)
          seen++
        }
        let total = 0
        for (const count of dissector.outcomes.entries().values()) total += count
        assert.equal(total, frames.length)
        dissector.close()
      }
    }
    assert.ok(seen > 10_000, `${seen} frames`)
    assert.equal(memory.allocator.allocatedBytes(), 0)
  })

  test('with flipped bytes in their frames are told, never thrown', () => {
    const random = randomFrom(20_251_122)
    const dissector = new Dissector(memory)
    let flipped = 0
    for (const { file } of sample) {
      for (const { frame, wire, linkType } of framesOf(file).slice(0, 60)) {
        for (let round = 0; round < 8; round++) {
          const damaged = Uint8Array.from(frame)
          for (let flips = random(6); flips >= 0 && damaged.length > 0; flips--) {
            damaged[random(Math.min(damaged.length, 120))] = random(256)
          }
          memory.write(frameAt, damaged)
          const written = dissector.dissect(frameAt, damaged.length, wire, linkType, meta, batch)
          assert.ok(written <= RECORD_BYTES_MAX)
          flipped++
        }
      }
    }
    dissector.close()
    assert.ok(flipped > 10_000, `${flipped} frames`)
    assert.equal(memory.allocator.allocatedBytes(), 0)
  })

  test('with flipped bytes anywhere in the file are read to some end, or refused', () => {
    const random = randomFrom(7)
    for (const { file, bytes } of sample) {
      if (bytes > 100_000 || bytes === 0) continue
      const whole = readFileSync(capturePath(file))
      const plain = file.endsWith('.gz') ? gunzipSync(whole) : whole
      for (let round = 0; round < 3; round++) {
        const damaged = Uint8Array.from(plain)
        for (let flips = random(5); flips >= 0; flips--) {
          // Half of them in the first packets' headers, where most is to break.
          damaged[random(random(2) === 0 ? damaged.length : Math.min(damaged.length, 200))] = random(256)
        }
        readDamaged(damaged)
      }
    }
    assert.equal(memory.allocator.allocatedBytes(), 0)
  })

  function readDamaged(bytes: Uint8Array): void {
    const path = join(folder, 'damaged')
    writeFileSync(path, bytes)
    let source
    try {
      source = new FileSource(memory, path)
    } catch (error) {
      assert.match((error as Error).message, /^Cannot read ".*" at offset \d+: /)
      return
    }
    readSource(memory, source, batch, BATCH_BYTES)
    assert.equal(ledgerOff(source.counters()), 0)
    source.close()
  }
})
