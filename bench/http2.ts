/**
 * Microseconds of one thread per HTTP/2 exchange, from the bytes of both streams: `node bench/http2.ts`. The bytes are those that
 * Node's client and server (nghttp2: Huffman code, dynamic tables) exchange over the loopback, recorded once. The best of
 * seven rounds a line: the decoder alone, with pairing, and with the record behind the privacy wall.
 *
 * @module
 */
import { once } from 'node:events'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { ByteMemory } from '../lib/bytes/mod.ts'
import { FactsTable, FieldTable, RecordWriter } from '../lib/record/mod.ts'
import { Detector } from '../src/decode/mod.ts'
import type { Message, MessageSink } from '../src/decode/mod.ts'
import { createProtocols } from '../src/decode/registry.ts'
import { TestConnection } from '../src/decode/testing/test-connection.ts'
import { FIELDS, MARK_REASONS, Pairer } from '../src/exchange/mod.ts'
import { DEFAULT_PRIVACY, Wall } from '../src/privacy/mod.ts'
import { HEAD_BYTES } from '../wasm/layout.ts'

const ROUNDS = 7
const EXCHANGES = 3000
const AT_ONCE = 10

type Segment = readonly [side: 0 | 1, bytes: Buffer]

/** What both ends send, as a proxy between them sees it. */
async function record(): Promise<Segment[]> {
  const segments: Segment[] = []
  const server = createHttp2Server((request, response) => {
    response.writeHead(200, {
      'content-type': 'application/json', 'cache-control': 'no-store', 'x-request-id': request.headers['x-request-id']!, server: 'bench',
    })
    response.end('{"hello":"world"}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = createServer((client: Socket) => {
    const upstream = connect((server.address() as AddressInfo).port, '127.0.0.1')
    client.on('data', (bytes: Buffer) => { segments.push([0, bytes]); upstream.write(bytes) })
    upstream.on('data', (bytes: Buffer) => { segments.push([1, bytes]); client.write(bytes) })
    client.on('close', () => upstream.destroy())
    upstream.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const session = connectHttp2(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`)
  for (let done = 0; done < EXCHANGES; done += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, async (_, index) => {
      const stream = session.request({
        ':path': `/orders/${(done + index) % 50}?page=${index}`, 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) bench/1.0',
        accept: 'application/json',
        'accept-language': 'en-US,en;q=0.5', 'accept-encoding': 'gzip, deflate, br', 'x-request-id': `0f8fad5b-d9cb-469f-a165-${done + index}`,
        'x-forwarded-for': '203.0.113.7', cookie: 'theme=dark',
      })
      stream.resume()
      await once(stream, 'close')
    }))
  }
  session.close()
  await once(session, 'close')
  proxy.close()
  server.close()
  return segments
}

const memory = new ByteMemory({ imports: Wall.imports() })
const protocols = createProtocols(memory)
const input = TestConnection.reserveInput(memory)
const wall = new Wall(memory, DEFAULT_PRIVACY)
const writer = new RecordWriter(memory, new FieldTable(memory, FIELDS, MARK_REASONS))
const facts = new FactsTable({ memory, writer, protect: (raw) => raw, countMax: 1 })

/** Gives heads back, and nothing else. */
const freeing: MessageSink = {
  head: () => {},
  end: (_connection, { head, trailer }: Message) => {
    for (const block of [head, trailer]) if (block !== 0) memory.allocator.free(block, memory.u32[(block + HEAD_BYTES) >>> 2]!)
  },
  anomaly: () => {},
  close: () => {},
}

function pairer(exchange: (block: number) => void): MessageSink {
  return new Pairer(memory, { exchange, dropped: () => {}, anomaly: () => {}, webSocket: () => {} }, { seesBothDirections: true, facts })
}

function measure(name: string, segments: readonly Segment[], sink: () => MessageSink): void {
  let best = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const connection = new TestConnection(memory, input)
    connection.use(new Detector({ memory, protocols, sink: sink(), control: connection }))
    const start = process.hrtime.bigint()
    segments.forEach(([side, bytes], time) => connection.send(side, bytes, time))
    connection.close(segments.length)
    best = Math.min(best, Number(process.hrtime.bigint() - start))
  }
  console.log(`${name.padEnd(36)} ${(best / 1000 / EXCHANGES).toFixed(2).padStart(6)} µs per exchange`)
}

const segments = await record()
let exchanges = 0
measure('decode', segments, () => freeing)
measure('decode, pair', segments, () => pairer(() => { exchanges++ }))
measure('decode, pair, record behind the wall', segments, () => pairer((block) => { wall.exchange(block) }))
console.log(`${exchanges / ROUNDS} exchanges in ${segments.length} segments, ${segments.reduce((sum, [, bytes]) => sum + bytes.length, 0)} bytes`)
