/** Capture files that are cut, foreign or of a kind that is not known: an error with its mend, or a named and counted anomaly. */
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { UNPRIVILEGED } from '../../lib/ebpf/testdata/unprivileged.ts'
import { Gateway } from './testing/gateway.ts'
import { LINTEL } from './testing/lintel.ts'
import type { LoggedRecord } from './testing/lintel.ts'
import { run, Running } from './testing/process.ts'
import { Tcpdump } from './testing/tcpdump.ts'

const PORT = 18120
const COUNT = 20
/** Bytes of a pcap file's header; the link type is its last word. */
const FILE_HEADER_BYTES = 24
const LINK_TYPE_OFFSET = 20
const LINK_TYPE_USER0 = 147

const folder = mkdtempSync(join(tmpdir(), 'lintel-replay-'))
const whole = join(folder, 'whole.pcap')

/** A capture by tcpdump of real requests by curl to a real nginx. */
before(async () => {
  chmodSync(folder, 0o755)
  const gateway = await Gateway.start({ listen: [`127.0.0.1:${PORT}`] })
  const tcpdump = await Tcpdump.start(whole, { interface: 'lo', filter: ['tcp', 'port', String(PORT)] })
  await run('curl', ['-s', '-o', '/dev/null', `http://127.0.0.1:${PORT}/replayed/[1-${COUNT}]`])
  await tcpdump.stop()
  await gateway.stop()
  chmodSync(whole, 0o644)
})
after(() => { rmSync(folder, { recursive: true, force: true }) })

interface Replayed { code: number; records: LoggedRecord[]; said: string }

async function replay(path: string, before: readonly string[] = []): Promise<Replayed> {
  const [command = LINTEL, ...rest] = [...before, LINTEL, 'replay', path, '--output', 'stdout']
  const running = new Running(command, rest)
  const code = await running.finish()
  const records = running.output.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as LoggedRecord)
  return { code, records, said: running.errors }
}

function made(name: string, bytes: Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

function anomaly(records: readonly LoggedRecord[], name: string): number | undefined {
  return records.find((record) => record.kind === 'anomaly' && record.event?.name === name)?.event?.count
}

test('a whole capture, replayed without privileges: every exchange, no anomaly', async () => {
  const { code, records, said } = await replay(whole, UNPRIVILEGED)
  assert.equal(code, 0, said)
  assert.deepEqual(records.map((record) => record.url?.path), Array.from({ length: COUNT }, (_, n) => `/replayed/${n + 1}`))
  assert.match(said, /adds up/)
})

test('a capture cut inside a packet: what was whole is read, the cut is named, counted and told', async () => {
  const path = made('cut.pcap', readFileSync(whole))
  truncateSync(path, readFileSync(whole).length - 50)
  const { code, records, said } = await replay(path)
  assert.equal(code, 0)
  assert.equal(anomaly(records, 'file_cut'), 1)
  assert.ok(records.filter((record) => record.kind === 'exchange').length >= COUNT - 1)
  assert.match(said, /warning: ".*cut\.pcap" is damaged: file_cut at byte \d+/)
  assert.match(said, /adds up/)
})

test('a compressed capture that is cut', async () => {
  const bytes = gzipSync(readFileSync(whole))
  const { records, said } = await replay(made('cut.pcap.gz', bytes.subarray(0, bytes.length - 100)))
  assert.equal(anomaly(records, 'compression_damaged'), 1)
  assert.match(said, /is damaged: compression_damaged/)
})

test('a packet that claims an absurd length: reading stops there, named and counted', async () => {
  const bytes = readFileSync(whole)
  const second = FILE_HEADER_BYTES + 16 + bytes.readUInt32LE(FILE_HEADER_BYTES + 8)
  bytes.writeUInt32LE(0x7fff_ffff, second + 8)
  const { code, records } = await replay(made('absurd.pcap', bytes))
  assert.equal(code, 0)
  assert.equal(anomaly(records, 'packet_length_absurd'), 1)
})

test('a link type that is not known: told once, every packet counted as lost under that name', async () => {
  const bytes = readFileSync(whole)
  bytes.writeUInt32LE(LINK_TYPE_USER0, LINK_TYPE_OFFSET)
  const { code, records, said } = await replay(made('link-type.pcap', bytes))
  assert.equal(code, 0)
  assert.deepEqual(records, [])
  assert.equal(said.match(/warning: Cannot read packets of link type 147 in ".*link-type\.pcap": not known; they count as lost/g)?.length, 1)
  const [, seen, lost] = /packets seen (\d+) = delivered 0 \+ not wanted 0 \+ lost \d+ \(link_type_unknown (\d+)\)/.exec(said) ?? []
  assert.equal(seen, lost)
  assert.ok(Number(seen) > 40)
})

for (const [what, name, bytes, said] of [
  ['text', 'text.pcap', Buffer.from('this is no capture\n'.repeat(20)), /Cannot read ".*text\.pcap" at offset 0: not a pcap or pcapng file/],
  ['an empty file', 'empty.pcap', Buffer.alloc(0), /Cannot read ".*empty\.pcap".*: .*empty/],
  ['a header that ends early', 'short.pcap', Buffer.from('d4c3b2a102000400', 'hex'), /Cannot read ".*short\.pcap"/],
] as const) {
  test(`${what} instead of a capture: an error with its mend, exit code 1`, async () => {
    const ended = await replay(made(name, bytes))
    assert.match(ended.said, said)
    assert.equal(ended.code, 1)
    assert.deepEqual(ended.records, [])
  })
}

test('several files, one of them cut: the others are read whole', async () => {
  const cut = made('first-cut.pcap', readFileSync(whole).subarray(0, 3000))
  const running = new Running(LINTEL, ['replay', cut, whole, '--output', 'stdout'])
  assert.equal(await running.finish(), 0)
  const records = running.output.trimEnd().split('\n').map((line) => JSON.parse(line) as LoggedRecord)
  assert.equal(anomaly(records, 'file_cut'), 1)
  for (let n = 1; n <= COUNT; n++) {
    assert.ok(records.some((record) => record.url?.path === `/replayed/${n}` && record.http?.response?.status_code === 200))
  }
})
