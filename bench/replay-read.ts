/**
 * What does it cost to read a capture and take its frames apart, before anything looks at the payload?
 *
 *     node bench/replay-read.ts [capture file]
 *
 * Each row is the best of five rounds over frames in memory; the reader's rows include system calls and
 * inflating. With a file, its own packets are measured besides.
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'

import { ByteMemory } from '../lib/bytes/mod.ts'
import {
  encode, ethernet, ipv4, ipv4Fragments, ipv6, raw, tcp, udp, vlan, vxlan, type Layer,
} from '../lib/pcap/builder.ts'
import { PcapWriter } from '../lib/pcap/mod.ts'
import { Dissector, FrameMeta } from '../src/capture/dissect/mod.ts'
import { FileSource } from '../src/capture/file/mod.ts'

const ROUNDS = 5
const FRAMES = 200_000
const BATCH_BYTES = 1 << 20

const memory = new ByteMemory()
const batch = memory.reserve(BATCH_BYTES)

const ports = { sourcePort: 40000, destinationPort: 80 }
const segment = (bytes: number): Layer => tcp({ ...ports, sequence: 0xf0000000 }, raw(new Uint8Array(bytes)))
const plain = (bytes: number): Layer => ipv4({}, segment(bytes))
const shapes: ReadonlyArray<readonly [string, Uint8Array[]]> = [
  ['TCP/IPv4/Ethernet, no payload', [encode(ethernet({ padded: true }, plain(0)))]],
  ['TCP/IPv4/Ethernet, 200 bytes', [encode(ethernet({}, plain(200)))]],
  ['TCP/IPv4/Ethernet, 1,460 bytes', [encode(ethernet({}, plain(1460)))]],
  ['TCP/IPv6/Ethernet, 1,440 bytes', [encode(ethernet({}, ipv6({}, segment(1440))))]],
  ['TCP/IPv4/VLAN, 200 bytes', [encode(ethernet({}, vlan(5, plain(200))))]],
  ['TCP/IPv4/VXLAN, 200 bytes', [encode(ethernet({}, ipv4({},
    udp({ sourcePort: 50000, destinationPort: 4789 }, vxlan(7, ethernet({}, plain(200)))))))]],
  ['two fragments of 1,480 and 28 bytes, each', ipv4Fragments({ identification: 9 },
    segment(1488), 1480).map(layer => encode(ethernet({}, layer)))],
]

console.log('| frames in memory | ns/frame | million frames/s | GB/s |')
console.log('| --- | --- | --- | --- |')
for (const [name, frames] of shapes) printRow(name, dissectAll(frames), averageBytes(frames))

console.log('\n| through the file reader | ns/frame | million frames/s | GB/s |')
console.log('| --- | --- | --- | --- |')
const folder = mkdtempSync(join(tmpdir(), 'lintel-bench-'))
try {
  const chunks: Uint8Array[] = []
  const writer = new PcapWriter(chunk => chunks.push(chunk))
  const frame = encode(ethernet({}, plain(700)))
  for (let i = 0; i < FRAMES; i++) writer.packet(frame, 1_700_000_000 + i / 1000 | 0, i)
  const file = Buffer.concat(chunks)
  const kinds = [
    ['plain pcap, 700 bytes', 'a.pcap', file],
    ['the same, gzip', 'a.pcap.gz', gzipSync(file, { level: 1 })],
    ['the same, zstd', 'a.pcap.zst', zstdCompressSync(file)],
  ] as const
  for (const [name, base, bytes] of kinds) {
    const path = join(folder, base)
    writeFileSync(path, bytes)
    printRow(name, readFile(path), frame.length)
  }
  const given = process.argv[2]
  if (given !== undefined) printRow(given, readFile(given), statSync(given).size / countFrames(given))
} finally {
  rmSync(folder, { recursive: true })
}

/** Best nanoseconds a frame. */
function dissectAll(frames: readonly Uint8Array[]): number {
  const dissector = new Dissector(memory)
  const meta = new FrameMeta()
  const places = frames.map(frame => {
    const place = memory.reserve(frame.length + 2)
    memory.write(place + 1, frame)
    return place + 1
  })
  let best = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now()
    for (let i = 0; i < FRAMES; i++) {
      const which = i % frames.length
      const length = frames[which]!.length
      dissector.dissect(places[which]!, length, length, 1, meta, batch)
    }
    best = Math.min(best, (performance.now() - start) * 1e6 / FRAMES)
  }
  dissector.close()
  return best
}

function readFile(path: string): number {
  let best = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const source = new FileSource(memory, path)
    const start = performance.now()
    while (!source.ended) source.fill(batch, BATCH_BYTES)
    best = Math.min(best, (performance.now() - start) * 1e6 / source.counters().seen)
    source.close()
  }
  return best
}

function countFrames(path: string): number {
  const source = new FileSource(memory, path)
  while (!source.ended) source.fill(batch, BATCH_BYTES)
  source.close()
  return source.counters().seen
}

function averageBytes(frames: readonly Uint8Array[]): number {
  return frames.reduce((sum, frame) => sum + frame.length, 0) / frames.length
}

function printRow(name: string, nanoseconds: number, bytes: number): void {
  const rate = (1000 / nanoseconds).toFixed(2)
  console.log(`| ${name} | ${nanoseconds.toFixed(0)} | ${rate} | ${(bytes / nanoseconds).toFixed(2)} |`)
}
