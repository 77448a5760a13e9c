/** A replay by several workers, from the command line: it says what one worker says, and ends as one ends. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { encode, ethernet, ipv4, ipv4Fragments, raw, tcp, TcpConversation, udp } from '../../lib/pcap/builder.ts'
import { PcapWriter } from '../../lib/pcap/mod.ts'
import { defaultConfig } from '../../src/config.ts'
import { chooseWorkers } from '../../src/worker-choice.ts'
import { lintel, root } from './testing/lintel.ts'

const folder = mkdtempSync(join(tmpdir(), 'lintel-workers-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const CONNECTIONS = 40
const EXCHANGES = 20
const CRASH_PORT = 9999

/** Connections that are under way side by side, the last of them to `lastPort`. */
function talk(lastPort: number): Uint8Array[] {
  const conversations = Array.from({ length: CONNECTIONS }, (_, index) => {
    const exchanges = Array.from({ length: EXCHANGES }, (_, number) => [
      Buffer.from(`GET /${index}/${number} HTTP/1.1\r\nHost: a\r\n\r\n`), Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    ] as const)
    const serverPort = index === CONNECTIONS - 1 ? lastPort : 80
    return TcpConversation.of(exchanges, { clientPort: 40_000 + index, serverPort }).frames()
  })
  return conversations[0]!.flatMap((_, place) => conversations.map((frames) => frames[place]!))
}

/** A capture of frames a millisecond apart. @returns its path */
function capture(name: string, frames: readonly Uint8Array[], linkType = 1): string {
  const chunks: Uint8Array[] = []
  const writer = new PcapWriter((chunk) => chunks.push(Buffer.from(chunk)), linkType)
  frames.forEach((frame, index) => { writer.packet(frame, 1_700_000_000 + Math.floor(index / 1000), (index % 1000) * 1e6) })
  const path = join(folder, name)
  writeFileSync(path, Buffer.concat(chunks))
  return path
}

function oddFrames(): Uint8Array[] {
  const split = ipv4Fragments({ identification: 7 }, tcp({ sourcePort: 5, destinationPort: 80 }, raw('x'.repeat(60))), 40)
  const lonely = ipv4Fragments({ identification: 8 }, tcp({ sourcePort: 6, destinationPort: 80 }, raw('x'.repeat(60))), 40)
  const noise = encode(ethernet({}, ipv4({}, udp({ sourcePort: 1, destinationPort: 2 }, raw('noise')))))
  return [...split, lonely[0]!].map((layer) => encode(ethernet({}, layer))).concat(noise, noise.subarray(0, 20))
}

const plain = capture('plain.pcap', [...talk(80), ...oddFrames()])
const strange = capture('strange.pcap', talk(80).slice(0, 3), 147)
const cut = capture('cut.pcap', talk(80))
truncateSync(cut, 20_000)
const noCapture = join(folder, 'none.pcap')
writeFileSync(noCapture, 'this is no capture file')

type Numbered = Record<string, Record<string, unknown> | undefined> & { kind: string, event: { name: string, count: number, sequence: number } }

function replayed(workers: number): { status: number | null, records: string[], anomalies: Map<string, number>, said: string[], sequences: number[] } {
  const kinds = ['exchange', 'connection', 'packet', 'anomaly', 'websocket', 'handshake'].flatMap((kind) => ['--kind', kind])
  const output = join(folder, `by-${workers}.ndjson`)
  const { status, stderr } = lintel(['replay', plain, strange, cut, noCapture, plain, ...kinds, '--field', '*', '--workers', String(workers),
    '--output', `file:${output}`])
  const all = readFileSync(output, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line) as Numbered)
  const anomalies = new Map<string, number>()
  const sequences = all.map(({ event }) => event.sequence)
  for (const { kind, event } of all) if (kind === 'anomaly') anomalies.set(event.name, (anomalies.get(event.name) ?? 0) + event.count)
  const records = all.filter(({ kind }) => kind !== 'anomaly').map(({ event: { sequence: _, ...event }, network, ...rest }) =>
    JSON.stringify([event, { ...network, connection: undefined }, rest])).sort()
  // How many records the anomalies are told in depends on the workers.
  const said = stderr.trimEnd().split('\n').map((line) => line.replace(/totals after .*?: .*?; packets/, 'packets')).sort()
  assert.match(stderr, /adds up$/m)
  return { status, records, anomalies: new Map([...anomalies].sort()), said, sequences }
}

test('two and three workers say what one says: records, anomalies, packets, messages', () => {
  const alone = replayed(1)
  assert.equal(alone.status, 1) // a file was left out
  assert.ok(alone.records.length > 2 * CONNECTIONS * EXCHANGES)
  assert.equal(alone.said.length, 4, alone.said.join('\n'))
  assert.ok(alone.anomalies.size > 1)
  assert.deepEqual(alone.sequences, alone.sequences.map((_, index) => index + 1))
  for (const workers of [2, 3]) {
    const { sequences, ...said } = replayed(workers)
    const { sequences: _, ...expected } = alone
    assert.deepEqual(said, expected)
    assert.equal(new Set(sequences).size, sequences.length)
    assert.deepEqual([...new Set(sequences.map((sequence) => sequence % workers))].sort(), [0, 1, 2].slice(0, workers))
  }
})

test('a worker that breaks ends the run for all, with the same words', () => {
  const decoder = join(folder, 'crash.ts')
  writeFileSync(decoder, `export default { name: 'crash', ports: [${CRASH_PORT}], detect: () => process.exit(7), open: () => ({ data: () => 0 }) }\n`)
  const file = capture('crash.pcap', talk(CRASH_PORT))
  for (const workers of [1, 2, 3]) {
    // Files before it, so that all have begun when one breaks.
    const files = [...Array.from({ length: 60 }, () => plain), file]
    const { status, stderr } = lintel(['replay', ...files, '--decoder', decoder, '--workers', String(workers), '--output', `file:${join(folder, 'broken')}`])
    assert.equal(status, 1)
    assert.equal(stderr.match(/the capture thread ended \(7\) before it was told to\n/g)?.length, 1, stderr)
    assert.doesNotMatch(stderr, /adds up/)
  }
})

test('what cannot start tells it once', () => {
  const { status, stderr } = lintel(['replay', noCapture, '--workers', '3'])
  assert.equal(status, 1)
  assert.equal(stderr.trimEnd().split('\n').length, 1, stderr)
  assert.match(stderr, /not a pcap or pcapng file/)
})

test('every worker takes a new configuration at SIGHUP and ends at SIGINT, and the totals add up', async () => {
  const files = Array.from({ length: 3000 }, () => plain)
  const replay = spawn(`${root}bin/lintel`, ['replay', ...files, '--workers', '2', '--output', `file:${join(folder, 'some.ndjson')}`], { cwd: root })
  after(() => replay.kill('SIGKILL'))
  const exited = once(replay, 'exit')
  const isRunning = (): boolean => replay.exitCode === null && replay.signalCode === null
  let stderr = ''
  replay.stderr.on('data', (chunk: Buffer) => { stderr += chunk.toString() })
  const written = (): string => { try { return readFileSync(join(folder, 'some.ndjson'), 'utf8') } catch { return '' } }
  while (written() === '' && isRunning()) await new Promise((resolve) => { setTimeout(resolve, 20) })
  // One that comes before the start is over does nothing.
  while (!stderr.includes('configuration read anew') && isRunning()) {
    replay.kill('SIGHUP')
    await new Promise((resolve) => { setTimeout(resolve, 100) })
  }
  replay.kill('SIGINT')
  const [code] = await exited as [number | null]
  assert.equal(code, 0, stderr)
  assert.match(stderr, /configuration read anew/)
  const [, logged] = /logged (\d+) .*adds up$/m.exec(stderr) ?? []
  assert.equal(Number(logged), written().trimEnd().split('\n').length)
  assert.ok(Number(logged) < files.length * CONNECTIONS * EXCHANGES)
})

test('what can be read only once has one worker, and says so', () => {
  const shell = ['bash', '-c', 'file="$1"; shift; exec "$@" < "$file"', 'bash', plain, `${root}bin/lintel`]
  const { status, stderr } = lintel(['replay', '-', '--workers', '2'], { program: shell })
  assert.equal(status, 0)
  assert.match(stderr, /workers: 2 is left aside: standard input can be read only once\n/)
})

test('without a wish there are more workers for large plain files only', () => {
  const large = join(folder, 'large.pcap')
  writeFileSync(large, readFileSync(plain))
  truncateSync(large, 64 * 1024 * 1024)
  const packed = join(folder, 'packed.pcap.gz')
  writeFileSync(packed, gzipSync(readFileSync(plain)))
  const { capture } = defaultConfig()
  const chosen = (files: readonly string[], cores: number, workers?: number): number =>
    chooseWorkers({ files, capture, ...(workers === undefined ? {} : { workers }) }, cores).count
  assert.deepEqual([1, 2, 3, 4, 64].map((cores) => chosen([large], cores)), [1, 1, 2, 3, 4])
  assert.equal(chosen([plain], 4), 1)
  assert.equal(chosen([large, packed], 4), 1)
  assert.equal(chosen([large, plain], 5), 4)
  assert.equal(chosen([large, '-'], 4), 1)
  assert.equal(chosen([packed], 1, 3), 3)
})

test('how many share a live capture: one for each four cores, and one where only one can read', () => {
  const { capture } = defaultConfig()
  const clear = { ...capture, tls: { ...capture.tls, enabled: false } }
  const live = (cores: number, workers?: number, of = clear): ReturnType<typeof chooseWorkers> =>
    chooseWorkers({ files: [], capture: of, ...(workers === undefined ? {} : { workers }) }, cores)
  assert.deepEqual([1, 2, 4, 7, 8, 12, 16, 64].map((cores) => live(cores).count), [1, 1, 1, 1, 2, 2, 4, 4])
  assert.deepEqual(live(2, 16), { count: 16 })
  assert.deepEqual(live(2, 3), { count: 2, notice: 'workers: 3 are 2: a live capture is shared by a power of two' })
  assert.deepEqual(live(64, undefined, capture), { count: 1 })
  assert.match(live(64, 2, capture).notice!, /^workers: 2 is left aside: TLS in the clear is read by one/)
  assert.match(live(64, 2, { ...clear, transport: 'perf' }).notice!, /perf buffers have one reader$/)
  assert.match(live(64, 2, { ...clear, mode: 'metrics' }).notice!, /the kernel counts/)
})
