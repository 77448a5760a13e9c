/**
 * The cases of cases/*.md. A case is a heading, blocks of bytes in the order of capture (`client`, `server`) and a `log`.
 *
 * Every line of a block of bytes ends with CRLF, unless its last character is `\`. `\r`, `\n`, `\t`, `\0`, `\xNN` and `\\`
 * stand for bytes. The log holds a line a message (kind, exchange, method and target or status, how it ended, body bytes,
 * oddities) and a line an anomaly. Each case runs at every cut in two and byte by byte.
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { Side } from '../../connection/mod.ts'
import { MessageRecorder } from '../testing/message-recorder.ts'
import type { Recorded } from '../testing/message-recorder.ts'
import { TestConnection } from '../testing/test-connection.ts'
import { HeadScanner } from './head-scanner.ts'
import { Http1Connection } from './http1-connection.ts'

interface Case {
  title: string
  segments: { side: Side; bytes: Buffer }[]
  log: string[]
}

const memory = new ByteMemory()
const scanner = new HeadScanner(memory)
const input = TestConnection.reserveInput(memory)
const ESCAPES: Record<string, string> = { r: '\r', n: '\n', t: '\t', 0: '\0', '\\': '\\' }

function bytesOf(block: string): Buffer {
  const text = block.split('\n').slice(0, -1).map((line) => (/[^\\]\\$|^\\$/.test(line) ? line.slice(0, -1) : `${line}\\r\\n`)).join('')
  return Buffer.from(text.replace(/\\(x[0-9a-f]{2}|[rnt0\\])/g, (_, escape: string) =>
    escape.startsWith('x') ? String.fromCharCode(Number.parseInt(escape.slice(1), 16)) : ESCAPES[escape]!), 'latin1')
}

function parseCases(markdown: string): Case[] {
  return markdown.split(/^## /m).slice(1).map((section) => {
    const title = section.slice(0, section.indexOf('\n'))
    const blocks = [...section.matchAll(/^```(\w+)\n([^]*?)^```$/gm)]
    const segments = blocks.filter(([, kind]) => kind !== 'log')
      .map(([, kind, text]) => ({ side: (kind === 'client' ? 0 : 1) as Side, bytes: bytesOf(text!) }))
    const log = blocks.filter(([, kind]) => kind === 'log').flatMap(([, , text]) => text!.trim().split('\n'))
    return { title, segments, log }
  })
}

function lineOf(message: Recorded): string {
  const what = message.kind === 'request' ? `${message.method} ${message.target}` : String(message.status)
  const oddities = [...message.oddities].sort().join(' ')
  return `${message.kind} ${message.exchange} ${what} ${message.ended} body=${message.bodyBytes} ${oddities}`.trim()
}

function play(pieces: Case['segments']): string[] {
  const connection = new TestConnection(memory, input)
  const recorder = new MessageRecorder(memory)
  connection.use(new Http1Connection({ memory, scanner, control: connection, sink: recorder }))
  pieces.forEach(({ side, bytes }, time) => connection.send(side, bytes, time))
  connection.close(pieces.length)
  assert.equal(memory.allocator.allocatedBytes(), 0, 'blocks are left')
  return [...recorder.messages.map(lineOf), ...recorder.anomalies.map((name) => `anomaly ${name}`)]
}

for (const file of globSync(fileURLToPath(new URL('./cases/*.md', import.meta.url))).sort()) {
  for (const { title, segments, log } of parseCases(readFileSync(file, 'utf8'))) {
    test(`${basename(file, '.md')}: ${title}`, () => {
      assert.deepEqual(play(segments), log)
      const messages = log.filter((line) => !line.startsWith('anomaly'))
      const atEveryCut = (pieces: Case['segments'], place: string): void =>
        assert.deepEqual(play(pieces).filter((line) => !line.startsWith('anomaly')), messages, place)
      segments.forEach(({ side, bytes }, index) => {
        for (let at = 1; at < bytes.length; at++) {
          const cut = [{ side, bytes: bytes.subarray(0, at) }, { side, bytes: bytes.subarray(at) }]
          atEveryCut([...segments.slice(0, index), ...cut, ...segments.slice(index + 1)], `block ${index} cut at ${at}`)
        }
      })
    })
  }
}
