/** Seeds of other projects' fuzzers for HTTP/2, whole and mutated, in pieces and with gaps: messages and anomalies, nothing else. */
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
import { HpackDecoder, HpackTable } from './hpack-decoder.ts'
import { CLIENT_START, settings } from './testing/frames.ts'

const BUDGET_MS = 4000
const ARCHIVES = ['nghttp2-h2spec', 'nghttp2-nghttp', 'h2o-http2-corpus']

const memory = new ByteMemory()
const protocols = createProtocols(memory)
const input = TestConnection.reserveInput(memory)
const decoder = new HpackDecoder(memory)
const folder = mkdtempSync(join(tmpdir(), 'lintel-fuzz2-'))
after(() => rmSync(folder, { recursive: true }))

function seeds(): Buffer[] {
  return ARCHIVES.flatMap((name) => {
    const into = mkdtempSync(join(folder, name))
    const file = join(folder, `${name}.tar.gz`)
    writeFileSync(file, corpusFile(`fuzz-seeds/${name}.tar.gz`)!)
    execFileSync('tar', ['xzf', file, '-C', into, '--no-same-owner'])
    return readdirSync(into, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name))).filter((seed) => seed.length > 0)
  })
}

function mutate(seed: Buffer, random: () => number): Buffer {
  const copy = Buffer.from(seed)
  for (let count = Math.floor(random() * 6); count > 0; count--) copy[Math.floor(random() * copy.length)] = Math.floor(random() * 256)
  const at = Math.floor(random() * copy.length)
  return random() < 0.3 ? Buffer.concat([copy.subarray(0, at), copy.subarray(at + Math.floor(random() * 30))]) : copy
}

function play(bytes: Buffer, random: () => number): number {
  const fromStart = random() < 0.7
  const connection = new TestConnection(memory, input, fromStart ? {} : { fromStart, client: undefined })
  const recorder = new MessageRecorder(memory)
  connection.use(new Detector({ memory, protocols, sink: recorder, control: connection }))
  let time = 0
  const side: Side = random() < 0.6 ? 0 : 1
  if (random() < 0.8) {
    connection.send(0, CLIENT_START, ++time)
    connection.send(1, settings(), ++time)
  }
  for (let at = 0; at < bytes.length;) {
    const length = 1 + Math.floor(random() * Math.min(bytes.length - at, random() < 0.3 ? 10 : 2000))
    if (random() < 0.02) connection.lose(side, length, ++time)
    else connection.send(side, bytes.subarray(at, at + length), ++time)
    at += length
  }
  connection.close(++time)
  assert.equal(memory.allocator.allocatedBytes(), 0, 'blocks are left')
  assert.equal(connection.retained, 0)
  return recorder.messages.length
}

test('seeds of other projects end in nothing but messages and anomalies', needsCorpus('fuzz-seeds'), (t) => {
  const all = seeds()
  const random = randomFrom(31)
  let messages = 0
  let runs = 0
  for (const seed of all) messages += play(seed, random)
  for (const until = Date.now() + BUDGET_MS; Date.now() < until; runs++) messages += play(mutate(all[Math.floor(random() * all.length)]!, random), random)
  assert.ok(all.length > 50 && messages > 50, `${all.length} seeds, ${messages} messages`)
  t.diagnostic(`${all.length} seeds, ${runs} mutations, ${messages} messages`)
})

test('any bytes as a header block end in a block of bounded size and a closed set of codes', () => {
  const random = randomFrom(77)
  const table = new HpackTable(decoder, true)
  for (let run = 0; run < 20_000; run++) {
    const length = Math.floor(random() * 60)
    for (let at = 0; at < length; at++) memory.u8[input + at] = Math.floor(random() * 256)
    const code = table.decode(input, length)
    assert.ok(code !== undefined && code <= 0 && code >= -6)
    decoder.free(decoder.block)
  }
  table.close()
  assert.equal(memory.allocator.allocatedBytes(), 0)
})
