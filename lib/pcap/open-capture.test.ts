import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { deflateRawSync, gzipSync, zstdCompressSync } from 'node:zlib'

import { openCapture, PcapWriter, READ } from './mod.ts'
import { BlockWriter } from './testing/blocks.ts'
import { readBytes, readPath, withFile } from './testing/read-packets.ts'

function pcap(count: number, bytes = 100, random = false): Buffer {
  const chunks: Uint8Array[] = []
  const writer = new PcapWriter(chunk => chunks.push(chunk))
  for (let i = 0; i < count; i++) {
    const data = random ? randomBytes(bytes) : new Uint8Array(bytes).fill(i)
    writer.packet(data, i, 0)
  }
  return Buffer.concat(chunks)
}

describe('opening a capture', () => {
  test('refuses what is no capture, naming file, offset and first bytes', () => {
    const cases: ReadonlyArray<readonly [Uint8Array, RegExp]> = [
      [Buffer.from('GET / HTTP/1.1\r\n\r\n'),
        /^Error: Cannot read ".*capture" at offset 0: not a pcap or pcapng file; first bytes 47 45 54 20 2f 20 48 54; convert/],
      [Buffer.alloc(0), /at offset 0: not a pcap or pcapng file; it is empty; capture again$/],
      [Uint8Array.of(0xd4), /first bytes d4; /],
      [pcap(0).subarray(0, 20), /at offset 20: it ends inside a pcap header of 24 bytes; capture again$/],
      [new BlockWriter(true).section().bytes().subarray(0, 12), /ends inside a pcapng header of 28 bytes/],
      [new BlockWriter(true).section(2).bytes(), /a pcapng file, but it is of version 2.0, known is 1.0; write it anew/],
      [Buffer.concat([Uint8Array.of(10, 13, 13, 10), Buffer.alloc(40)]), /its byte-order mark is not 1a2b3c4d/],
      [gzipSync(Buffer.from('no capture')), /first bytes 6e 6f 20 63/],
      [Uint8Array.of(0x1f, 0x8b, 0xff, 0xff, 1, 2, 3), /its compression is broken \(compression_damaged\)/],
    ]
    for (const [bytes, message] of cases) assert.throws(() => readBytes(bytes), message)
  })

  test('refuses a missing file and a folder, saying what to do', () => {
    assert.throws(() => readPath('/nowhere/a.pcap'), /^Error: Cannot open capture file "\/nowhere\/a.pcap": no such file; check/)
    assert.throws(() => readPath('/tmp'), /it is a folder; name the files in it/)
  })

  for (const [name, compress] of [['gzip', gzipSync], ['zstd', zstdCompressSync]] as const) {
    test(`reads ${name} as it reads the plain file, larger than any buffer`, () => {
      const plain = pcap(30_000, 150, true)
      const expected = readBytes(plain)
      const actual = readBytes(compress(plain))
      assert.equal(actual.packets.length, 30_000)
      assert.deepEqual(actual, expected)
    })

    test(`delivers what comes before the end of a cut ${name} file, and names it`, () => {
      const whole = compress(pcap(30_000, 150, true))
      const { packets, warnings } = readBytes(whole.subarray(0, whole.length >> 1))
      assert.ok(packets.length > 10_000 && packets.length < 20_000, `${packets.length} packets`)
      assert.deepEqual(warnings, { compression_damaged: 1 })
    })

    test(`reads several ${name} members one after another`, () => {
      const plain = pcap(1000)
      const members = Buffer.concat([compress(plain.subarray(0, 5000)), compress(plain.subarray(5000))])
      assert.deepEqual(readBytes(members), readBytes(plain))
    })
  }

  test('names a gzip file whose check sum is wrong', () => {
    const whole = gzipSync(pcap(3000))
    whole.fill(0xff, whole.length - 8)
    const { packets, warnings } = readBytes(whole)
    assert.equal(packets.length, 3000)
    assert.deepEqual(warnings, { compression_damaged: 1 })
  })

  test('delivers all that stands before what is no gzip, and every byte that a cut file tells', () => {
    const plain = pcap(30)
    const whole = gzipSync(plain)
    const behind = readBytes(Buffer.concat([whole, Buffer.from('\n<html>')]))
    assert.deepEqual([behind.packets, behind.warnings], [readBytes(plain).packets, { compression_damaged: 1 }])
    const padded = readBytes(Buffer.concat([whole, Buffer.alloc(512)]))
    assert.deepEqual([padded.packets.length, padded.warnings], [30, {}])
    const stored = gzipSync(plain, { level: 0 })
    const cut = readBytes(stored.subarray(0, stored.length - 8 - 50))
    assert.deepEqual([cut.packets.length, cut.warnings], [29, { compression_damaged: 1 }])
  })

  test('reads a gzip header with every optional part, wherever the file is cut into members', () => {
    const plain = pcap(2000)
    const header = (flags: number): Buffer => Buffer.concat([
      Buffer.of(0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3), ...(flags & 4 ? [Buffer.of(0x2c, 1), Buffer.alloc(300, 7)] : []),
      ...(flags & 8 ? [Buffer.from('name.pcap\0')] : []), ...(flags & 16 ? [Buffer.from('a comment\0')] : []), ...(flags & 2 ? [Buffer.of(1, 2)] : []),
    ])
    const member = (bytes: Uint8Array, flags: number): Buffer => Buffer.concat([header(flags), gzipSync(bytes).subarray(10)])
    for (const place of [0, 1, 24, 5000, plain.length]) {
      const parts = [member(plain.subarray(0, place), 0x1e), member(plain.subarray(place), 8)]
      assert.deepEqual(readBytes(Buffer.concat(parts)), readBytes(plain), `${place}`)
    }
  })

  test('holds neither the compressed nor the inflated file', () => {
    // 96 MiB of one repeated packet in about 100 KiB.
    const packets = 300
    const bytes = 262_144
    const parts: Uint8Array[] = []
    const writer = new PcapWriter(chunk => parts.push(chunk))
    writer.packet(new Uint8Array(bytes), 0, 0)
    const [header, record] = parts as [Uint8Array, Uint8Array]
    const member = gzipSync(record)
    const file = Buffer.concat([gzipSync(header), ...Array.from({ length: packets }, () => member)])
    withFile(file, path => {
      const region = { bytes: new Uint8Array(1 << 20), offset: 0, length: 1 << 20 }
      const before = process.memoryUsage().arrayBuffers
      const capture = openCapture(path, region)
      let count = 0
      let peak = 0
      while (capture.reader.next() === READ.PACKET) {
        count++
        peak = Math.max(peak, process.memoryUsage().arrayBuffers - before)
      }
      capture.close()
      assert.equal(count, packets)
      assert.ok(peak < 4 << 20, `${peak} bytes held`)
    })
  })

  test('names a packed form that is not read, and what unpacks it', () => {
    const starts = { xz: 'fd377a585a000004', bzip2: '425a683931415926', lz4: '04224d1864a70000', zip: '504b030414000000', '7z': '377abcaf271c0004' }
    for (const [name, start] of Object.entries(starts)) {
      const message = new RegExp(`at offset 0: not a pcap or pcapng file; it is packed by ${name}; unpack it first with "`)
      assert.throws(() => readBytes(Buffer.from(start, 'hex')), message)
    }
  })

  test('does not take a deflate stream without its gzip frame for a capture', () => {
    assert.throws(() => readBytes(deflateRawSync(pcap(3))), /not a pcap or pcapng file/)
  })


  test('lets the process end although a compressed file was not read to its end', async () => {
    const module = JSON.stringify(new URL('./mod.ts', import.meta.url).href)
    const script = `
      const { openCapture } = await import(${module})
      openCapture(process.argv[1], { bytes: new Uint8Array(1 << 20), offset: 0, length: 1 << 20 }).reader.next()
    `
    const folder = mkdtempSync(join(tmpdir(), 'lintel-pcap-'))
    try {
      const path = join(folder, 'capture')
      writeFileSync(path, gzipSync(pcap(50_000)))
      const child = spawn(process.execPath, ['--input-type=module', '-e', script, path], { stdio: 'inherit' })
      assert.deepEqual(await once(child, 'exit'), [0, null])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('standard input', () => {
  const script = fileURLToPath(new URL('./testing/count-standard-input.ts', import.meta.url))

  async function count(feed: (input: NodeJS.WritableStream) => Promise<void> | void): Promise<string> {
    // Through cat, since node gives its children sockets where a shell gives pipes.
    const child = spawn('sh', ['-c', 'cat | "$0" "$1"', process.execPath, script], { stdio: ['pipe', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => { output += chunk.toString() })
    await feed(child.stdin)
    child.stdin.end()
    await once(child, 'close')
    return output.trim()
  }

  test('is read while it is written, without blocking where nothing has come', async () => {
    const bytes = pcap(2000)
    const output = await count(async input => {
      input.write(bytes.subarray(0, 40_001))
      // The reader waits for the rest; how long does not matter to it.
      await new Promise(resolve => setTimeout(resolve, 500))
      input.write(bytes.subarray(40_001))
    })
    assert.match(output, /^2000 packets, waited [1-9]\d* times$/)
  })

  for (const [name, compress] of [['gzip', gzipSync], ['zstd', zstdCompressSync]] as const) {
    test(`may be ${name}`, async () => {
      const output = await count(input => { input.write(compress(pcap(2000))) })
      assert.match(output, /^2000 packets, /)
    })
  }
})
