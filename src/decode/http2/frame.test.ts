/** http2-frame-test-case: every frame is read to its parts, and every fault has one of the error codes that it may have. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { corpusFolder, needsCorpus } from '../testing/corpora.ts'
import * as F from './frame.ts'

interface FrameCase {
  readonly error: number[] | null
  readonly wire: string
  readonly frame: { length: number, type: number, flags: number, stream_identifier: number, frame_payload: Payload } | null
  readonly description: string
}

type Payload = Readonly<Record<string, number | string | boolean | null | [number, number][]>>

const CORPUS = 'http2-frame-test-case'

function cases(): FrameCase[] {
  const folder = corpusFolder(CORPUS)
  return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).flatMap(({ name }) =>
    readdirSync(join(folder, name)).map((file) => JSON.parse(readFileSync(join(folder, name, file), 'utf8')) as FrameCase))
}

function faultOf(bytes: Buffer): number {
  const length = F.uint24(bytes, 0)
  if (length > F.FRAME_BYTES_MAX) return F.FAULT.frameSize
  const [type, flags, stream] = [bytes[3]!, bytes[4]!, F.uint32(bytes, 5) & 0x7fff_ffff]
  return F.headerFault(type, flags, length, stream) || F.payloadFault(bytes, F.FRAME_HEADER_BYTES, length, type, flags)
}

/** The parts of a payload as the decoder uses them, under the corpus's names. */
function partsOf(bytes: Buffer): Payload {
  const [length, type, flags] = [F.uint24(bytes, 0), bytes[3]!, bytes[4]!]
  const payload = F.FRAME_HEADER_BYTES
  const padding = F.paddingOf(bytes, payload, length, type, flags)
  const text = (from: number): string => bytes.subarray(from, payload + length - padding).toString('latin1')
  const block = (): string => text(payload + F.blockOffset(type, flags))
  switch (type) {
    case F.FRAME.data: return { data: text(payload + ((flags & F.FLAG_PADDED) === 0 ? 0 : 1)) }
    case F.FRAME.headers: return { header_block_fragment: block() }
    case F.FRAME.continuation: return { header_block_fragment: block() }
    case F.FRAME.pushPromise: return { header_block_fragment: block(), promised_stream_id: F.promisedStream(bytes, payload, flags) }
    case F.FRAME.resetStream: return { error_code: F.uint32(bytes, payload) }
    case F.FRAME.goaway: return { last_stream_id: F.uint32(bytes, payload), error_code: F.uint32(bytes, payload + 4) }
    case F.FRAME.windowUpdate: return { window_size_increment: F.uint32(bytes, payload) & 0x7fff_ffff }
    case F.FRAME.settings: return {
      settings: Array.from({ length: length / F.SETTING_BYTES }, (_, index): [number, number] =>
        [F.uint16(bytes, payload + index * 6), F.uint32(bytes, payload + index * 6 + 2)]),
    }
    default: return {}
  }
}

test('all cases of the corpus', needsCorpus(CORPUS), (t) => {
  const all = cases()
  let right = 0
  for (const { error, wire, frame, description } of all) {
    const bytes = Buffer.from(wire, 'hex')
    if (error !== null) {
      assert.ok(error.includes(faultOf(bytes)), `${description}: ${faultOf(bytes)}`)
    } else {
      assert.equal(faultOf(bytes), F.FAULT.none, description)
      assert.deepEqual([F.uint24(bytes, 0), bytes[3], bytes[4], F.uint32(bytes, 5) & 0x7fff_ffff],
        [frame!.length, frame!.type, frame!.flags, frame!.stream_identifier], description)
      assert.ok(F.definesFlags(bytes[3]!, bytes[4]!), description)
      const parts = partsOf(bytes)
      for (const [name, value] of Object.entries(parts)) assert.deepEqual(value, frame!.frame_payload[name], `${description}: ${name}`)
    }
    right++
  }
  assert.equal(right, 34)
  t.diagnostic(`${right} of ${all.length}`)
})
