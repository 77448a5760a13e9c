/** The broker's side of Kafka's protocol (https://kafka.apache.org/protocol), for one topic with one partition: nothing of it is Lintel's or its client's. */
import assert from 'node:assert/strict'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { Kept } from '../exporter.suite.ts'
import { ByteReader } from './byte-reader.ts'
import type { Converse } from './stream-server.ts'

const [PRODUCE, METADATA, API_VERSIONS, INIT_PRODUCER_ID] = [0, 3, 18, 22]
/** What this broker speaks: versions before requests with tags, but for ApiVersions. */
const VERSIONS: readonly (readonly [key: number, min: number, max: number])[] = [[PRODUCE, 3, 7], [METADATA, 4, 4], [API_VERSIONS, 3, 3], [INIT_PRODUCER_ID, 1, 1]]
const NOT_ENOUGH_REPLICAS = 19
const BATCH_HEAD_BYTES = 61

const int16 = (value: number): Buffer => { const bytes = Buffer.alloc(2); bytes.writeInt16BE(value); return bytes }
const int32 = (value: number): Buffer => { const bytes = Buffer.alloc(4); bytes.writeInt32BE(value); return bytes }
const int64 = (value: bigint): Buffer => { const bytes = Buffer.alloc(8); bytes.writeBigInt64BE(value); return bytes }
const text = (value: string): Buffer => Buffer.concat([int16(value.length), Buffer.from(value)])
const list = (...items: Buffer[]): Buffer => Buffer.concat([int32(items.length), ...items])
const NULL_TEXT = int16(-1)

/** What brokers keep beside the records. */
export interface KafkaState {
  /** `HOST:PORT` that clients are told to go to. */
  advertised: string | undefined
}

/** @param state of the broker; what it knows of producers outlives its connections */
export function kafkaConverse(topic: string, state: KafkaState): Converse {
  const sequences = new Map<bigint, number>()
  let producers = 0n
  return async (socket, server) => {
    const reader = new ByteReader(socket)
    for (let head = await reader.take(4); head !== undefined; head = await reader.take(4)) {
      const request = await reader.need(head.readInt32BE(0))
      const [key, correlation] = [request.readInt16BE(0), request.subarray(4, 8)]
      const at = 10 + Math.max(0, request.readInt16BE(8)) // behind the client's name
      const answer = (...parts: Buffer[]): void => {
        const body = Buffer.concat([correlation, ...parts])
        socket.write(Buffer.concat([int32(body.length), body]))
      }
      if (key === API_VERSIONS) answer(apiVersions())
      else if (key === METADATA) answer(metadata(topic, state.advertised ?? `127.0.0.1:${socket.localPort}`))
      else if (key === INIT_PRODUCER_ID) answer(int32(0), int16(0), int64(producers++), int16(0))
      else {
        assert.equal(key, PRODUCE)
        produce(request.subarray(at), topic, sequences, (records, isNew) => {
          const taken = (isRight: boolean): void => answer(list(Buffer.concat([text(topic), list(Buffer.concat([
            int32(0), int16(isRight ? 0 : NOT_ENOUGH_REPLICAS), int64(0n), int64(-1n), int64(0n),
          ]))])), int32(0))
          if (isNew) return server.batch(records, socket, taken)
          taken(true)
          return true
        })
      }
    }
  }
}

function apiVersions(): Buffer {
  const keys = VERSIONS.map(one => Buffer.concat([...one.map(int16), Buffer.from([0])]))
  return Buffer.concat([int16(0), Buffer.from([keys.length + 1]), ...keys, int32(0), Buffer.from([0])])
}

function metadata(topic: string, advertised: string): Buffer {
  const [host, port] = advertised.split(':') as [string, string]
  const broker = Buffer.concat([int32(1), text(host), int32(Number(port)), NULL_TEXT])
  const partition = Buffer.concat([int16(0), int32(0), int32(1), list(int32(1)), list(int32(1))])
  return Buffer.concat([int32(0), list(broker), text('cluster'), int32(1), list(Buffer.concat([int16(0), text(topic), Buffer.from([0]), list(partition)]))])
}

/** @param take is given what is in it, and whether it is there for the first time: clients send again under the same numbers; says whether it has it */
function produce(body: Buffer, topic: string, sequences: Map<bigint, number>, take: (records: Kept[], isNew: boolean) => boolean): void {
  assert.equal(body.readInt16BE(0), -1, 'no transaction')
  assert.equal(body.readInt16BE(2), -1, 'all replicas are waited for')
  assert.equal(body.readInt32BE(8), 1, 'one topic')
  const nameEnd = 14 + body.readInt16BE(12)
  assert.equal(body.toString('utf8', 14, nameEnd), topic)
  assert.deepEqual([body.readInt32BE(nameEnd), body.readInt32BE(nameEnd + 4)], [1, 0], 'its one partition')
  const batch = body.subarray(nameEnd + 12)
  assert.equal(batch.length, body.readInt32BE(nameEnd + 8))
  assert.equal(batch.readInt32BE(8), batch.length - 12, 'one batch')
  assert.equal(batch[16], 2)
  const [producer, sequence, count] = [batch.readBigInt64BE(43), batch.readInt32BE(53), batch.readInt32BE(57)]
  const next = sequences.get(producer) ?? 0
  const records = readRecords(decompressed(batch), count)
  const isNew = sequence >= next
  if (take(records, isNew) && isNew) sequences.set(producer, sequence + count)
}

function decompressed(batch: Buffer): Buffer {
  const bytes = batch.subarray(BATCH_HEAD_BYTES)
  const coding = batch.readInt16BE(21) & 7
  assert.ok([0, 1, 4].includes(coding))
  return coding === 0 ? bytes : coding === 1 ? gunzipSync(bytes) : zstdDecompressSync(bytes)
}

function readRecords(bytes: Buffer, count: number): Kept[] {
  let at = 0
  const varint = (): number => {
    let [value, scale] = [0, 1]
    for (;; scale *= 128) {
      const byte = bytes[at++] as number
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }
  }
  const sized = (): Buffer | undefined => {
    const length = varint()
    if (length < 0) return undefined
    at += length
    return bytes.subarray(at - length, at)
  }
  const records = Array.from({ length: count }, () => {
    const length = varint()
    const end = at + length
    at++ // attributes
    varint() // time
    varint() // offset
    assert.equal(sized(), undefined, 'no key')
    const value = sized() as Buffer
    const headers = new Map(Array.from({ length: varint() }, () => [String(sized()), String(sized())]))
    assert.equal(at, end)
    const { id, event, http } = JSON.parse(value.toString()) as { id: string, event: { sequence: number }, http: { request: { header: Record<string, string[]> } } }
    assert.deepEqual([headers.get('id'), headers.get('kind')], [id, 'exchange'])
    return { id, number: event.sequence, hostile: http.request.header['x-hostile'] }
  })
  assert.equal(at, bytes.length)
  return records
}
