import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { Side } from '../../connection/mod.ts'
import { Detector } from '../detector.ts'
import { createProtocols } from '../registry.ts'
import { randomFrom } from '../testing/conversation.ts'
import { corpusFile, needsCorpus } from '../testing/corpora.ts'
import { MessageRecorder } from '../testing/message-recorder.ts'
import { TestConnection } from '../testing/test-connection.ts'
import { HeadScanner } from './head-scanner.ts'
import { Http1Connection } from './http1-connection.ts'

const BUDGET_MS = 3000
const SEEDS = ['h2o-http1-corpus', 'curl-http', 'gofuzz-httpreq', 'gofuzz-httpresp']

const memory = new ByteMemory()
const scanner = new HeadScanner(memory)
const protocols = createProtocols(memory)
const input = TestConnection.reserveInput(memory)
const folder = mkdtempSync(join(tmpdir(), 'lintel-fuzz-'))
after(() => rmSync(folder, { recursive: true }))

/** Every file of an archive of seeds. */
function seedsOf(name: string): Buffer[] {
  const archive = corpusFile(`fuzz-seeds/${name}.tar.gz`)
  if (archive === undefined) return []
  const into = mkdtempSync(join(folder, name))
  const file = join(folder, `${name}.tar.gz`)
  writeFileSync(file, archive)
  execFileSync('tar', ['xzf', file, '-C', into, '--no-same-owner'])
  return readdirSync(into, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)))
}

/** Some bytes of `seed` changed, left out, repeated, or taken from `other`. */
function mutate(seed: Buffer, other: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * (seed.length + 1))
  const length = Math.floor(random() * 20)
  switch (Math.floor(random() * 5)) {
    case 0: {
      const copy = Buffer.from(seed)
      for (let count = 0; count < 4; count++) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256)
      return copy
    }
    case 1: return Buffer.concat([seed.subarray(0, at), seed.subarray(at + length)])
    case 2: return Buffer.concat([seed.subarray(0, at), seed.subarray(at, at + length), seed.subarray(at)])
    case 3: return Buffer.concat([seed.subarray(0, at), other.subarray(Math.floor(random() * other.length))])
    default: return seed
  }
}

/** Gives `bytes` to both sides in random pieces, with a gap here and there. */
function play(bytes: Buffer, random: () => number): MessageRecorder {
  const connection = new TestConnection(memory, input, random() < 0.7 ? {} : { fromStart: false, client: undefined })
  const recorder = new MessageRecorder(memory)
  const options = { memory, scanner, protocols, control: connection, sink: recorder }
  connection.use(random() < 0.5 ? new Detector(options) : new Http1Connection(options))
  let time = 0
  for (let at = 0; at < bytes.length;) {
    const length = 1 + Math.floor(random() * Math.min(bytes.length - at, random() < 0.3 ? 10 : 2000))
    const side: Side = random() < 0.6 ? 0 : 1
    const chance = random()
    if (chance < 0.03) connection.lose(side, length, ++time)
    else if (chance < 0.04) connection.loseUnknown(side, ++time)
    else connection.send(side, bytes.subarray(at, at + length), ++time)
    at += length
  }
  connection.close(++time)
  assert.equal(memory.allocator.allocatedBytes(), 0, 'blocks are left')
  assert.equal(connection.retained, 0)
  return recorder
}

test('seeds of other projects, whole and mutated, end in nothing but messages and anomalies', needsCorpus('fuzz-seeds'), () => {
  const seeds = SEEDS.flatMap(seedsOf).filter((seed) => seed.length > 0)
  assert.ok(seeds.length > 1000, `${seeds.length} seeds`)
  const random = randomFrom(2024)
  let messages = 0
  for (const seed of seeds) messages += play(seed, random).messages.length
  const until = Date.now() + BUDGET_MS
  while (Date.now() < until) {
    const seed = seeds[Math.floor(random() * seeds.length)]!
    messages += play(mutate(seed, seeds[Math.floor(random() * seeds.length)]!, random), random).messages.length
  }
  assert.ok(messages > 1000, `${messages} messages`)
})

/** Bytes that the scanner was asked to look at, beyond those that an earlier look had seen. */
function scannedBytes(segments: readonly Buffer[]): number {
  let scanned = 0
  const counting = new HeadScanner(memory)
  const { scan } = counting
  counting.scan = (pointer, length, from, kind) => {
    scanned += length - from
    return scan.call(counting, pointer, length, from, kind)
  }
  const connection = new TestConnection(memory, input)
  const recorder = new MessageRecorder(memory)
  connection.use(new Http1Connection({ memory, scanner: counting, control: connection, sink: recorder }))
  segments.forEach((segment, time) => connection.send(0, segment, time))
  connection.close(segments.length)
  return scanned
}

test('work is linear in the input, however it is cut', () => {
  const shapes: Record<string, (size: number) => string> = {
    'many fields': (size) => `GET / HTTP/1.1\r\nHost: a\r\n${'A: 1\r\n'.repeat(size / 6)}`,
    'one long line': (size) => `GET /${'x'.repeat(size)}`,
    'one long value': (size) => `GET / HTTP/1.1\r\nX: ${'x'.repeat(size)}`,
    'folded lines': (size) => `GET / HTTP/1.1\r\nX: x\r\n${' y\r\n'.repeat(size / 4)}`,
    'small chunks': (size) => `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\na\r\n'.repeat(size / 6)}`,
    'many trailers': (size) => `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${'A: 1\r\n'.repeat(size / 6)}`,
    'empty lines': (size) => '\r\n'.repeat(size / 2),
  }
  for (const [name, shape] of Object.entries(shapes)) {
    const text = Buffer.from(shape(30_000))
    const byByte = Array.from(text, (byte) => Buffer.of(byte))
    // A first look, one when the first line ends, one when the head does; each byte once besides.
    assert.ok(scannedBytes(byByte) <= 4 * text.length, `${name}: ${scannedBytes(byByte)} bytes for ${text.length}`)
  }
})
