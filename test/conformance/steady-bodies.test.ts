/**
 * Exchanges whose bodies are read (capture.body_fields) among others of one connection: the steady path takes the others, gives these back, and
 * both paths say the same of them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../lib/bytes/mod.ts'
import { SegmentBuilder } from '../../src/connection/testing/segment-builder.ts'
import { ANSWERS } from '../../src/decode/body/testing/answers.ts'
import { BodyFields } from '../../src/decode/mod.ts'
import { fieldId } from '../../src/exchange/mod.ts'
import * as L from '../../wasm/layout.ts'
import { PathLog, PathParts } from './testing/path-log.ts'

const memory = new ByteMemory()
const bodies = new BodyFields(memory)
const parts = new PathParts(memory, bodies)
const builder = new SegmentBuilder(memory, 1 << 20)
const CLIENT = { address: '10.0.0.1', port: 1024 }
const SERVER = { address: '10.0.0.2', port: 80 }
const MODEL = fieldId('gen_ai.request.model')
const EVERY = 12

/** What the facts of an exchange say was asked for; undefined = it has none. */
function modelOf(block: number): string | undefined {
  const facts = memory.u32[(block + L.EXCHANGE_FACTS) >>> 2]!
  if (facts === 0) return undefined
  const { view } = memory
  let entry = facts + L.FACTS_RAW + L.RECORD_ENTRIES
  for (let left = view.getUint16(facts + L.FACTS_RAW + L.RECORD_COUNT, true); left > 0; left--) {
    const length = view.getUint32(entry + L.ENTRY_LENGTH, true)
    if (view.getUint16(entry + L.ENTRY_FIELD, true) === MODEL) return memory.latin1(entry + L.ENTRY_PAYLOAD, length)
    entry += L.ENTRY_PAYLOAD + ((length + 7) & ~7)
  }
  return ''
}

/** Exchanges of a connection, every twelfth a call; each message in one segment, acknowledged by the next. */
function play(isSteady: boolean): { exchanges: string[], turns: number } {
  const exchanges: string[] = []
  const path = new PathLog(parts, {
    isSteady,
    exchange: (block) => { exchanges.push(`${memory.u32[(block + L.EXCHANGE_DEPTH) >>> 2]} ${modelOf(block)} ${memory.f64[(block + L.EXCHANGE_RESPONSE_BODY) >>> 3]}`) },
  })
  let [client, server, time] = [1000, 5000, 1e12]
  const add = (fields: object): void => { builder.add({ time: time += 1e5, ...fields } as Parameters<SegmentBuilder['add']>[0]) }
  builder.clear()
  add({ from: CLIENT, to: SERVER, flags: 'S', sequence: client++ })
  add({ from: SERVER, to: CLIENT, flags: 'SA', sequence: server++, acknowledgement: client })
  add({ from: CLIENT, to: SERVER, sequence: client, acknowledgement: server })
  for (let turn = 0; turn < EVERY * ANSWERS.length; turn++) {
    const answer = turn % EVERY === EVERY - 1 ? ANSWERS[Math.floor(turn / EVERY)]! : undefined
    const asked = answer?.request ?? '{"model":"no"}'
    const answered = answer?.response ?? '{"model":"no"}'
    const type = answer?.isEvents === true ? 'text/event-stream' : 'application/json'
    const request = `POST ${answer?.path ?? '/other'} HTTP/1.1\r\nHost: a\r\nContent-Length: ${Buffer.byteLength(asked)}\r\n\r\n${asked}`
    const response = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(answered)}\r\n\r\n${answered}`
    add({ from: CLIENT, to: SERVER, sequence: client, acknowledgement: server, payload: Buffer.from(request) })
    client += Buffer.byteLength(request)
    add({ from: SERVER, to: CLIENT, sequence: server, acknowledgement: client, payload: Buffer.from(response) })
    server += Buffer.byteLength(response)
    path.process(builder.pointer, builder.length)
    builder.clear()
  }
  path.table.close(time + 1)
  return { exchanges, turns: path.turns }
}

test('calls among other exchanges are given back, and both paths say the same', () => {
  const before = memory.allocator.allocatedBytes()
  bodies.choose([{ preset: 'gen_ai', hosts: [], paths: [] }])
  const [plain, steady] = [play(false), play(true)]
  assert.deepEqual(steady.exchanges, plain.exchanges)
  const models = steady.exchanges.map((line) => line.split(' ')[1]).filter((model) => model !== 'undefined')
  assert.equal(models.length, ANSWERS.length)
  assert.deepEqual(models.filter((model) => model !== '' && !model!.startsWith('gemini') && !model!.startsWith('anthropic')),
    ANSWERS.map(({ requestModel }) => requestModel).filter((model) => model !== undefined))
  assert.equal(plain.turns, 0)
  assert.ok(steady.turns > EVERY, `only ${steady.turns}`)
  bodies.choose([])
  const off = play(true)
  assert.ok(off.turns > steady.turns, 'without rules the calls go by too')
  assert.deepEqual(off.exchanges.filter((line) => !line.includes('undefined')), [])
  assert.equal(memory.allocator.allocatedBytes(), before)
})
