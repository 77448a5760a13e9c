/** The server's side of Lumberjack v2, and of JSON lines: read strictly. */
import assert from 'node:assert/strict'
import { inflateSync } from 'node:zlib'
import type { Kept } from '../exporter.suite.ts'
import { ByteReader } from './byte-reader.ts'
import type { Converse } from './stream-server.ts'

const ack = (sequence: number): Buffer => {
  const bytes = Buffer.from('2A\0\0\0\0')
  bytes.writeUInt32BE(sequence, 2)
  return bytes
}

/** @param stepwise acknowledges it event by event, and says before that it is at work */
export function lumberjackConverse(compressed: boolean, stepwise = false): Converse {
  return async (socket, server) => {
    const reader = new ByteReader(socket)
    for (let head = await reader.take(6); head !== undefined; head = await reader.take(6)) {
      assert.equal(head.toString('latin1', 0, 2), '2W')
      const count = head.readUInt32BE(2)
      const records = compressed ? await readCompressed(reader) : await readEvents(count, bytes => reader.need(bytes))
      assert.equal(records.length, count)
      server.batch(records, socket, isRight => {
        if (stepwise && isRight) for (let done = 0; done < count; done++) socket.write(ack(done))
        socket.write(ack(isRight ? count : count + 1))
      })
    }
  }
}

async function readCompressed(reader: ByteReader): Promise<Kept[]> {
  const head = await reader.need(6)
  assert.equal(head.toString('latin1', 0, 2), '2C')
  const frames = inflateSync(await reader.need(head.readUInt32BE(2)))
  let at = 0
  return await readEvents(undefined, bytes => {
    at += bytes
    assert.ok(at <= frames.length)
    return Promise.resolve(frames.subarray(at - bytes, at))
  }, () => at === frames.length)
}

async function readEvents(count: number | undefined, need: (bytes: number) => Promise<Buffer>, isEnd = (): boolean => false): Promise<Kept[]> {
  const records: Kept[] = []
  while (count === undefined ? !isEnd() : records.length < count) {
    const head = await need(10)
    assert.equal(head.toString('latin1', 0, 2), '2J')
    assert.equal(head.readUInt32BE(2), records.length + 1)
    records.push(readEvent((await need(head.readUInt32BE(6))).toString()))
  }
  return records
}

export function readEvent(text: string): Kept {
  const event = JSON.parse(text) as { '@timestamp': string, id: string, time: string, event: { sequence: number }, http: { request: { header: Record<string, string[]> } } }
  assert.equal(event['@timestamp'], event.time)
  return { id: event.id, number: event.event.sequence, hostile: event.http.request.header['x-hostile'] }
}

/** Lines that are never answered. */
export const linesConverse: Converse = async (socket, server) => {
  let left = ''
  socket.setEncoding('utf8')
  for await (const part of socket as AsyncIterable<string>) {
    const lines = `${left}${part}`.split('\n')
    left = lines.pop() as string
    server.batch(lines.map(readEvent), socket, () => undefined)
  }
}
