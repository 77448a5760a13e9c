/**
 * What every decoder must pass, whatever its protocol: the same messages at every split, no failure at any gap or end, no
 * memory left. A protocol's tests call `testDecoder` with conversations of their own.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ByteMemory } from '../../lib/bytes/mod.ts'
import { END } from '../connection/mod.ts'
import type { Side } from '../connection/mod.ts'
import type { Protocol } from './decoder.ts'
import { Detector } from './detector.ts'
import { MessageRecorder } from './testing/message-recorder.ts'
import type { Recorded } from './testing/message-recorder.ts'
import { TestConnection } from './testing/test-connection.ts'

export interface SuiteConversation {
  readonly name: string
  /** In the order of capture; side 0 is the client. */
  readonly segments: readonly { readonly side: Side; readonly bytes: Uint8Array }[]
  /** Messages that the conversation holds. */
  readonly messages: number
}

type Segments = SuiteConversation['segments']

export interface SuiteOptions {
  readonly name: string
  readonly memory: ByteMemory
  readonly protocol: Protocol
  readonly conversations: readonly SuiteConversation[]
  /** Ports of the two sides, where the protocol looks at them. */
  readonly ports?: readonly [number, number]
}

/** Registers the suite's tests. */
export function testDecoder(options: SuiteOptions): void {
  const { name, memory, protocol, conversations } = options
  const input = TestConnection.reserveInput(memory)

  const open = (fromStart = true): { connection: TestConnection; recorder: MessageRecorder } => {
    const { ports = [0, 0] } = options
    const connection = new TestConnection(memory, input, fromStart ? { ports } : { fromStart, client: undefined, ports })
    const recorder = new MessageRecorder(memory)
    connection.use(new Detector({ memory, protocols: [protocol], sink: recorder, control: connection }))
    return { connection, recorder }
  }
  const close = ({ connection, recorder }: ReturnType<typeof open>, time: number): MessageRecorder => {
    connection.close(time)
    assert.equal(memory.allocator.allocatedBytes(), 0, 'blocks are left')
    assert.ok(recorder.messages.every((message) => message.ended !== undefined), 'a message has no end')
    return recorder
  }
  const play = (segments: Segments): MessageRecorder => {
    const opened = open()
    segments.forEach(({ side, bytes }, time) => opened.connection.send(side, bytes, time))
    return close(opened, segments.length)
  }

  for (const conversation of conversations) {
    const { segments } = conversation
    const whole = (): unknown => play(segments).messages.map(withoutTimes)

    test(`${name}, ${conversation.name}: every message is found`, () => {
      const recorder = play(segments)
      assert.equal(recorder.messages.length, conversation.messages)
      assert.deepEqual(recorder.anomalies, [])
      assert.equal(recorder.closed, END.fin)
    })

    test(`${name}, ${conversation.name}: every split gives the same messages`, () => {
      const expected = whole()
      eachSplit(segments, (split, place) => assert.deepEqual(play(split).messages.map(withoutTimes), expected, place))
    })

    test(`${name}, ${conversation.name}: pieces of 1 to 9 bytes give the same messages`, () => {
      const expected = whole()
      for (let size = 1; size < 10; size++) {
        assert.deepEqual(play(segments.flatMap((segment) => pieces(segment, size))).messages.map(withoutTimes), expected,
          `pieces of ${size}`)
      }
    })

    test(`${name}, ${conversation.name}: a gap at any byte ends nothing badly`, () => {
      for (const missing of [1, 13, 0]) {
        segments.forEach((segment, index) => {
          for (let at = 0; at < segment.bytes.length; at++) {
            const opened = open()
            segments.forEach(({ side, bytes }, time) => {
              if (time !== index) return opened.connection.send(side, bytes, time)
              opened.connection.send(side, bytes.subarray(0, at), time)
              if (missing === 0) opened.connection.loseUnknown(side, time)
              else opened.connection.lose(side, Math.min(missing, bytes.length - at), time)
              opened.connection.send(side, bytes.subarray(at + missing), time)
            })
            close(opened, segments.length)
          }
        })
      }
    })

    test(`${name}, ${conversation.name}: an end at any byte ends every message`, () => {
      for (const cause of [END.fin, END.reset]) {
        segments.forEach((segment, index) => {
          for (let at = 0; at <= segment.bytes.length; at++) {
            const opened = open()
            segments.slice(0, index).forEach(({ side, bytes }, time) => opened.connection.send(side, bytes, time))
            opened.connection.send(segment.side, segment.bytes.subarray(0, at), index)
            opened.connection.end(segment.side, index, cause)
            close(opened, index + 1)
          }
        })
      }
    })

    test(`${name}, ${conversation.name}: joining at any byte finds no message that is not there`, () => {
      const whole = play(segments).messages
      const heads = new Set(whole.map(headOf))
      segments.forEach((segment, index) => {
        for (let at = 0; at < segment.bytes.length; at++) {
          const opened = open(false)
          opened.connection.send(segment.side, segment.bytes.subarray(at), index)
          segments.slice(index + 1).forEach(({ side, bytes }, after) => opened.connection.send(side, bytes, index + 1 + after))
          for (const message of close(opened, segments.length).messages) {
            // A first line that lost its first bytes may still be one.
            if (message.startTime <= index) continue
            const isThere = heads.has(headOf(message)) || (message.unknown! > 0 && whole.some((truth) => isPartOf(message, truth)))
            assert.ok(isThere, `joined at ${index}:${at}`)
          }
        }
      })
    })
  }
}

function headOf({ kind, side, method, target, status, fields }: Recorded): string {
  return JSON.stringify({ kind, side, method, target, status, fields })
}

/** Whether a head of which not all is known says nothing that `truth` does not say. */
function isPartOf(message: Recorded, truth: Recorded): boolean {
  if (message.kind !== truth.kind || message.side !== truth.side || message.stream !== truth.stream) return false
  if (message.status !== 0 && message.status !== truth.status) return false
  for (const part of ['method', 'target', 'authority'] as const) if (message[part] && message[part] !== truth[part]) return false
  let at = 0
  for (const [name, value] of message.fields) {
    while (at < truth.fields.length && (truth.fields[at]![0] !== name || truth.fields[at]![1] !== value)) at++
    if (at++ === truth.fields.length) return false
  }
  return true
}

function withoutTimes(message: Recorded): object {
  const { startTime: _start, endTime: _end, ...rest } = message
  return rest
}

/** Every way to cut one segment in two. */
function eachSplit(segments: Segments, check: (split: Segments, place: string) => void): void {
  segments.forEach(({ side, bytes }, index) => {
    for (let at = 1; at < bytes.length; at++) {
      const split = [
        ...segments.slice(0, index),
        { side, bytes: bytes.subarray(0, at) },
        { side, bytes: bytes.subarray(at) },
        ...segments.slice(index + 1),
      ]
      check(split, `segment ${index}, byte ${at}`)
    }
  })
}

function pieces({ side, bytes }: Segments[number], size: number): Segments {
  const cut: Segments[number][] = []
  for (let at = 0; at < bytes.length; at += size) cut.push({ side, bytes: bytes.subarray(at, at + size) })
  return cut
}
