/**
 * What an open connection costs in memory: `node bench/idle.ts [CONNECTIONS [EXCHANGES]]`, default 100,000 and 1.
 *
 * Packets as the kernel numbers them, made in memory, go through the whole record path: connections that are opened, have done so
 * many exchanges, and are quiet from there on; then the same stopped earlier. Each kind in a process of its own. Bytes a
 * connection, after a garbage collection; JavaScript's heap, typed arrays (of the whole table, free places included), shared
 * memory, resident memory. The last column is what the process holds in all.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { ByteMemory } from '../lib/bytes/mod.ts'
import { FRAME_BYTES, HOOK_TCX, PACKET_EVENT } from '../src/capture/mod.ts'
import type { PacketCounters, PacketSource } from '../src/capture/mod.ts'
import { defaultConfig } from '../src/config.ts'
import { SegmentBuilder } from '../src/connection/testing/segment-builder.ts'
import { Pipeline } from '../src/pipeline.ts'
import { Wall } from '../src/privacy/wall.ts'

const NO_COUNTS: PacketCounters = { seen: 0, delivered: 0, notWanted: new Map(), lost: new Map(), bytesDelivered: 0, bytesCut: 0 }
const SERVER = { address: '10.255.0.1', port: 80 }
const CLIENT = { address: '10.0.0.0', port: 40_000 }
const REQUEST = 'GET /open HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench/1.0\r\nAccept: application/json\r\n\r\n'
const RESPONSE = 'HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'
const KINDS = ['SYN alone', 'handshake done', 'one byte of a request', 'a request unanswered', 'exchanges done']
/** Connections that packets are made for at a time. */
const TOGETHER = 64
const PACKET_NS = 1000

/** As bin/lintel starts the agent. */
const FLAGS = ['--expose-gc', '--max-semi-space-size=2']

const [count = 100_000, exchanges = 1, kind] = process.argv.slice(2).map(Number)

/** The packets of one connection, whose client is CLIENT. */
function* packetsOf(upTo: number): Generator<Parameters<SegmentBuilder['add']>[0]> {
  const records = [0, 0]
  const next = [1001, 5001]
  const packet = (side: 0 | 1, flags: string, payload = ''): Parameters<SegmentBuilder['add']>[0] => {
    const sequence = flags.startsWith('S') ? next[side]! - 1 : next[side]!
    next[side]! += payload.length
    const record = records[side]!++
    return {
      from: side === 0 ? CLIENT : SERVER, to: side === 0 ? SERVER : CLIENT, flags, payload, sequence, record, tag: 1, hook: HOOK_TCX,
      acknowledgement: flags === 'S' ? 0 : next[1 - side]!, windowScale: flags.startsWith('S') ? 7 : 255,
      seen: { packets: record + 1, bytes: 0, retransmissions: 0 },
    }
  }
  yield packet(0, 'S')
  if (upTo === 0) return
  yield packet(1, 'SA')
  yield packet(0, 'A')
  if (upTo === 2) yield packet(0, 'PA', 'G')
  if (upTo === 3) yield packet(0, 'PA', REQUEST)
  for (let exchange = 0; upTo === 4 && exchange < exchanges; exchange++) {
    yield packet(0, 'PA', REQUEST)
    yield packet(1, 'PA', RESPONSE)
  }
}

/** Gives the same packets for one client after the other; each connection has its own tag. */
class Opening implements PacketSource {
  readonly name = 'idle'
  readonly seesBothDirections = true
  opened = 0
  readonly #memory: ByteMemory
  readonly #template: SegmentBuilder
  readonly #events: readonly number[]
  #time = 1e9

  constructor(memory: ByteMemory, upTo: number) {
    this.#memory = memory
    this.#template = new SegmentBuilder(memory, 64 * 1024)
    const events: number[] = []
    for (const packet of packetsOf(upTo)) {
      events.push(this.#template.length)
      this.#template.add(packet)
    }
    this.#events = events
  }

  get ended(): boolean { return this.opened >= count! }

  fill(pointer: number, bytesMax: number): number {
    const { u8, u32, view } = this.#memory
    const { pointer: from, length } = this.#template
    let bytes = 0
    for (let made = 0; made < TOGETHER && !this.ended && bytes + length <= bytesMax; made++) {
      u8.copyWithin(pointer + bytes, from, from + length)
      const client = this.opened++
      for (const at of this.#events) {
        const event = pointer + bytes + at + FRAME_BYTES
        const isClient = u8[event + PACKET_EVENT.source_address + 1] !== 255
        const address = event + (isClient ? PACKET_EVENT.source_address : PACKET_EVENT.destination_address)
        view.setUint16(address + 2, client & 0xffff)
        u8[address + 1] = client >>> 16
        u32[(event + PACKET_EVENT.connection_tag) >>> 2] = client + 1
        this.#time += PACKET_NS
        u32[(event + PACKET_EVENT.time_ns) >>> 2] = this.#time >>> 0
        u32[(event + PACKET_EVENT.time_ns + 4) >>> 2] = Math.floor(this.#time / 2 ** 32)
      }
      bytes += length
    }
    return bytes
  }

  epochNanoseconds(): bigint { return 0n }
  interfaceName(): string { return 'lo' }
  skip(): void {}
  ignore(): void {}
  counters(): PacketCounters { return NO_COUNTS }
  close(): void {}
}

interface Held { readonly heap: number; readonly arrays: number; readonly shared: number; readonly resident: number }

function held(memory: ByteMemory): Held {
  globalThis.gc!()
  globalThis.gc!()
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage()
  return { heap: heapUsed, arrays: arrayBuffers, shared: memory.allocator.allocatedBytes(), resident: rss }
}

function measure(name: string, upTo: number): void {
  const memory = new ByteMemory({ imports: Wall.imports() })
  const base = defaultConfig()
  const config = { ...base, limits: { ...base.limits, connections: Math.ceil(count! * 1.01) } }
  const wall = new Wall(memory, base.privacy, base)
  const before = held(memory)
  const source = new Opening(memory, upTo)
  const pipeline = new Pipeline(memory, wall, config, [undefined], source, (batch) => {
    pipeline.recycle(batch.bytes.buffer as SharedArrayBuffer)
  })
  while (pipeline.step() > 0);
  pipeline.flush()
  const after = held(memory)
  const each = (key: keyof Held): number => Math.round((after[key] - before[key]) / count!)
  const figures = [each('heap'), each('arrays'), each('shared'), each('resident'), Math.round(after.resident / 2 ** 20), pipeline.counts.seen]
  console.log(`${name.padEnd(24)}${figures.map((figure) => String(figure).padStart(12)).join('')}`)
  const expected = upTo === 4 ? count! * exchanges! : 0
  if (pipeline.connectionsOpen !== count || pipeline.counts.seen !== expected) {
    throw new Error(`Cannot measure: ${pipeline.connectionsOpen} connections are open, ${pipeline.counts.seen} of ${expected} exchanges were seen`)
  }
}

if (kind === undefined) {
  console.log(`${count} connections, ${exchanges} exchanges each; bytes a connection\n`)
  console.log(`${'open with'.padEnd(24)}${['heap', 'arrays', 'shared', 'resident', 'MiB in all', 'records'].map((name) => name.padStart(12)).join('')}`)
  for (const index of KINDS.keys()) {
    const { status } = spawnSync(process.execPath, [...FLAGS, ...process.argv.slice(1, 2), ...[count, exchanges, index].map(String)],
      { stdio: 'inherit' })
    if (status !== 0) throw new Error(`Cannot measure "${KINDS[index]}": its process ended with ${status}`)
  }
} else measure(KINDS[kind]!, kind)
