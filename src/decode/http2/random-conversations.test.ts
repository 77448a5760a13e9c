/**
 * Random conversations of several streams, with bytes lost anywhere, or joined anywhere: whatever is missing, no value is wrong.
 * Each header value names its stream and message, so that one in the wrong place shows.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { Side } from '../../connection/mod.ts'
import { Detector } from '../detector.ts'
import { createProtocols } from '../registry.ts'
import { randomFrom } from '../testing/conversation.ts'
import { MessageRecorder } from '../testing/message-recorder.ts'
import type { Recorded } from '../testing/message-recorder.ts'
import { TestConnection } from '../testing/test-connection.ts'
import * as T from './testing/frames.ts'
import { HpackEncoder, LITERAL } from './testing/hpack-encoder.ts'

const RUNS = 600

const memory = new ByteMemory()
const protocols = createProtocols(memory)
const input = TestConnection.reserveInput(memory)

type Segment = readonly [side: Side, bytes: Buffer]
type Field = [name: string, value: string]

/** What was really sent, by kind and stream. */
interface Truth {
  readonly fields: readonly Field[]
  readonly trailer: readonly Field[]
  readonly bodyBytes: number
}

class Conversation {
  readonly segments: Segment[] = []
  readonly truth = new Map<string, Truth>()
  readonly #random: () => number
  readonly #encoders = [new HpackEncoder(), new HpackEncoder()] as const
  /** Values that come again, so that tables are used. */
  readonly #common: readonly Field[]

  constructor(random: () => number) {
    this.#random = random
    this.#common = Array.from({ length: 12 }, (_, index): Field => [`x-${index % 5}`, `v${Math.floor(random() * 1e6)}-${'z'.repeat(random() * 60)}`])
    this.segments.push([0, T.CLIENT_START], [1, Buffer.concat([T.settings([3, 100]), T.settingsAck()])])
    let next = 1
    const open: number[] = []
    for (let turns = 10 + Math.floor(random() * 40); turns > 0 || open.length > 0; turns--) {
      if (turns > 0 && (open.length === 0 || random() < 0.5)) {
        this.#request(next)
        open.push(next)
        next += random() < 0.9 ? 2 : 4
      } else {
        this.#response(open.splice(Math.floor(random() * open.length), 1)[0]!)
      }
      if (random() < 0.1) this.#cut(random() < 0.5 ? 0 : 1, T.windowUpdate(0, 99))
      if (random() < 0.05) this.#encoders[random() < 0.5 ? 0 : 1].resize(Math.floor(random() * 4096))
    }
  }

  #fields(own: string, chance: number): Field[] {
    return [...this.#common.filter(() => this.#random() < chance), [`own-${own.split(' ')[0]}`, own]]
  }

  #form = (): number => (this.#random() < 0.8 ? LITERAL.indexed : this.#random() < 0.5 ? LITERAL.plain : LITERAL.never)

  #send(side: Side, kind: string, stream: number, head: Field[]): void {
    const random = this.#random
    const encoder = this.#encoders[side]
    const fields = [...head, ...this.#fields(`${kind} ${stream}`, 0.5)]
    const bodyBytes = random() < 0.5 ? 0 : Math.floor(random() * random() * 6000)
    const trailer = random() < 0.2 ? this.#fields(`trailer-${kind} ${stream}`, 0.2) : []
    const isEmpty = bodyBytes === 0 && trailer.length === 0
    const options = { endsStream: isEmpty, split: random() < 0.2 ? 1 + Math.floor(random() * 40) : 100_000, priority: random() < 0.1 }
    const frames = [T.headers(stream, encoder.encode(fields, this.#form), random() < 0.1 ? { ...options, padding: 9 } : options)]
    if (bodyBytes > 0) frames.push(T.data(stream, Buffer.alloc(bodyBytes, 0), trailer.length === 0, random() < 0.1 ? 11 : undefined))
    if (trailer.length > 0) frames.push(T.headers(stream, encoder.encode(trailer, this.#form), { endsStream: true }))
    this.truth.set(`${kind} ${stream}`, { fields, trailer, bodyBytes })
    this.#cut(side, Buffer.concat(frames))
  }

  #cut(side: Side, bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const length = this.#random() < 0.3 ? 1 + Math.floor(this.#random() * 60) : 1448
      this.segments.push([side, bytes.subarray(at, at + length)])
      at += length
    }
  }

  #request(stream: number): void {
    const path = this.#random() < 0.5 ? '/common' : `/${stream}`
    const method = this.#random() < 0.5 ? 'GET' : 'PUT'
    this.#send(0, 'request', stream, [[':method', method], [':scheme', 'http'], [':authority', `host-${stream % 3}`], [':path', path]])
  }

  #response(stream: number): void {
    const random = this.#random
    if (random() < 0.1) this.#cut(1, T.headers(stream, this.#encoders[1].encode([[':status', '103'], ['own-interim', `interim ${stream}`]])))
    this.#send(1, 'response', stream, [[':status', ['200', '404', '201', '302', '503'][Math.floor(random() * 5)]!]])
  }
}

/** Every value that a message shows was sent in that message, in that order; what it says of its body is right or unknown. */
function assertRight(message: Recorded, truth: ReadonlyMap<string, Truth>, place: string): void {
  if (message.kind === 'interim') return
  const sent = truth.get(`${message.kind} ${message.stream}`)
  assert.ok(sent !== undefined, `${place}: ${message.kind} ${message.stream} was never sent`)
  const pseudo = (name: string): string => sent.fields.find(([key]) => key === name)?.[1] ?? ''
  const told: [string, string][] = message.kind === 'request'
    ? [[message.method, ':method'], [message.target, ':path'], [message.authority!, ':authority']]
    : [[message.status === 0 ? '' : String(message.status), ':status']]
  for (const [value, name] of told) if (value !== '') assert.equal(value, pseudo(name), `${place}: ${name} of ${message.stream}`)
  assertPart(message.fields, sent.fields, place)
  assertPart(message.trailer, sent.trailer, place)
  if (message.ended === 'complete') assert.equal(message.bodyBytes, sent.bodyBytes, `${place}: body of ${message.kind} ${message.stream}`)
  else assert.ok(message.bodyBytes <= sent.bodyBytes, `${place}: body of ${message.kind} ${message.stream}`)
}

function assertPart(shown: readonly (readonly [string, string])[], sent: readonly Field[], place: string): void {
  let at = 0
  for (const [name, value] of shown) {
    while (at < sent.length && (sent[at]![0] !== name || sent[at]![1] !== value)) at++
    assert.ok(at++ < sent.length, `${place}: ${name}: ${value} was not sent there`)
  }
}

interface Damage {
  /** Segments left out at the front: joined late. */
  readonly joined: number
  /** Share of segments that are lost. */
  readonly lost: number
}

function play(conversation: Conversation, random: () => number, damage: Damage): MessageRecorder {
  const fromStart = damage.joined === 0
  const connection = new TestConnection(memory, input, fromStart ? {} : { fromStart, client: undefined })
  const recorder = new MessageRecorder(memory)
  connection.use(new Detector({ memory, protocols, sink: recorder, control: connection }))
  conversation.segments.slice(damage.joined).forEach(([side, bytes], time) => {
    if (random() >= damage.lost) return connection.send(side, bytes, time)
    if (random() < 0.2) connection.loseUnknown(side, time)
    else connection.lose(side, bytes.length, time)
  })
  connection.close(1e6)
  assert.equal(memory.allocator.allocatedBytes(), 0)
  return recorder
}

function run(t: { diagnostic(text: string): void }, damageOf: (random: () => number, segments: number) => Damage): void {
  let shown = 0
  let sent = 0
  let messages = 0
  for (let seed = 1; seed <= RUNS; seed++) {
    const random = randomFrom(seed * 7919)
    const conversation = new Conversation(random)
    const recorder = play(conversation, random, damageOf(random, conversation.segments.length))
    for (const message of recorder.messages) {
      assertRight(message, conversation.truth, `seed ${seed}`)
      shown += message.fields.length
      messages++
    }
    for (const { fields } of conversation.truth.values()) sent += fields.filter(([name]) => !name.startsWith(':')).length
  }
  assert.ok(shown > 1000)
  t.diagnostic(`${messages} messages, ${shown} of ${sent} header fields sent are shown (${(100 * shown / sent).toFixed(1)} %), none wrong`)
}

test('nothing lost: every value of every message, in order', () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const random = randomFrom(seed * 104_729)
    const conversation = new Conversation(random)
    const { messages, anomalies } = play(conversation, random, { joined: 0, lost: 0 })
    assert.deepEqual(anomalies, [], `seed ${seed}`)
    assert.equal(messages.filter(({ kind }) => kind !== 'interim').length, conversation.truth.size)
    for (const message of messages) {
      assertRight(message, conversation.truth, `seed ${seed}`)
      if (message.kind === 'interim') continue
      const sent = conversation.truth.get(`${message.kind} ${message.stream}`)!
      assert.deepEqual(message.fields, sent.fields.filter(([name]) => !name.startsWith(':')))
      assert.deepEqual(message.trailer, sent.trailer)
      assert.equal(message.ended, 'complete')
    }
  }
})

test('segments lost at random: none wrong', (t) => run(t, (random) => ({ joined: 0, lost: random() * 0.1 })))

test('joined at random: none wrong', (t) => run(t, (random, segments) => ({ joined: 1 + Math.floor(random() * segments / 2), lost: 0 })))

test('joined at random, and segments lost: none wrong', (t) => {
  run(t, (random, segments) => ({ joined: 1 + Math.floor(random() * segments / 2), lost: random() * 0.05 }))
})
