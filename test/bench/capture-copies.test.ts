import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { writeCopies } from '../../bench/harness/capture-copies.ts'
import { PcapWriter, READ, addWords, foldChecksum, openCapture } from '../../lib/pcap/mod.ts'
import { TcpConversation } from '../../lib/pcap/builder.ts'
import { lintel } from '../cli/testing/lintel.ts'

const MAGIC_MICROSECONDS = 0xa1b2c3d4
const START = 1_700_000_000
const ETHERNET_BYTES = 14
const folder = mkdtempSync(join(tmpdir(), 'lintel-copies-'))
after(() => { rmSync(folder, { recursive: true }) })

/** As tcpdump writes it: microseconds. Two exchanges on one connection of two ends with one address, as on lo. */
function capture(name: string, serverPort: number): string {
  const chunks: Uint8Array[] = []
  const writer = new PcapWriter((chunk) => chunks.push(Uint8Array.from(chunk)))
  const encoded = (text: string): Uint8Array => Buffer.from(text)
  const turns = ['/a', '/b'].map((path) => [
    encoded(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`), encoded('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
  ] as const)
  const options = { clientAddress: '127.0.0.1', serverAddress: '127.0.0.1', clientPort: 40_000, serverPort }
  const frames = TcpConversation.of(turns, options).frames()
  for (const [index, frame] of frames.entries()) writer.packet(frame, START, 900_000 + index)
  const bytes = Buffer.concat(chunks)
  bytes.writeUInt32LE(MAGIC_MICROSECONDS, 0)
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

test('copies are other connections, later, and whole for a reader', () => {
  const from = capture('a.pcap', 8081)
  const to = join(folder, 'copies.pcap')
  const one = statSync(from).size - 24
  const copies = writeCopies(from, to, 8081, 3 * one + 24)
  assert.equal(copies.copies, 3)
  assert.equal(statSync(to).size, copies.bytes)
  const { stdout, stderr } = lintel(['replay', to, '--output', 'stdout', '--kind', 'exchange'])
  assert.match(stderr, new RegExp(`packets seen ${copies.packets} = `))
  const records = stdout.trim().split('\n').map((line) => JSON.parse(line) as {
    time: string; client: { address: string }; server: { address: string }; url: { path: string }
    http: { response: { status_code: number } }; marks?: object
  })
  assert.deepEqual(records.map(({ client, url }) => `${client.address} ${url.path}`),
    ['10.0.0.1 /a', '10.0.0.1 /b', '10.0.0.2 /a', '10.0.0.2 /b', '10.0.0.3 /a', '10.0.0.3 /b'])
  assert.ok(records.every(({ server, http, marks }) => server.address === '127.0.0.1' && http.response.status_code === 200 && marks === undefined))
  assert.deepEqual(records.map(({ time }) => time), records.map(({ time }) => time).toSorted())
  assert.equal(new Set(records.map(({ time }) => time)).size, 6)
})

test('the checksums of the IP headers are right', () => {
  const from = capture('b.pcap', 8081)
  const to = join(folder, 'sums.pcap')
  writeCopies(from, to, 8081, 2 * statSync(from).size)
  const bytes = new Uint8Array(1 << 20)
  const { reader, close, window } = openCapture(to, { bytes, offset: 0, length: bytes.length })
  let packets = 0
  for (; reader.next() === READ.PACKET; packets++) {
    assert.equal(foldChecksum(addWords(window.bytes, reader.cursor.at + ETHERNET_BYTES, 20, 0)), 0)
  }
  close()
  assert.ok(packets > 0)
})

test('what is no such capture is refused with the mend', () => {
  const nanoseconds = join(folder, 'nanoseconds.pcap')
  const bytes = readFileSync(capture('c.pcap', 8081))
  bytes.writeUInt32LE(0xa1b23c4d, 0)
  writeFileSync(nanoseconds, bytes)
  assert.throws(() => writeCopies(nanoseconds, join(folder, 'no.pcap'), 8081, 1000), /capture again with tcpdump/)
  const cut = join(folder, 'cut.pcap')
  writeFileSync(cut, readFileSync(capture('d.pcap', 8081)).subarray(0, -3))
  assert.throws(() => writeCopies(cut, join(folder, 'no.pcap'), 8081, 1000), /not a whole pcap file/)
})
