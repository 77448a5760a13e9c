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
import { HOOK_TCX } from '../src/capture/mod.ts'
import { defaultConfig } from '../src/config.ts'
import { makeCertificate, playTls } from '../src/decode/testing/tls-conversation.ts'
import { MadeSource } from '../src/connection/testing/made-source.ts'
import { PacketMill } from '../src/connection/testing/packet-mill.ts'
import type { MillPacket } from '../src/connection/testing/packet-mill.ts'
import { Pipeline } from '../src/pipeline.ts'
import { Wall } from '../src/privacy/wall.ts'

const REQUEST = 'GET /open HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench/1.0\r\nAccept: application/json\r\n\r\n'
const RESPONSE = 'HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'
const KINDS = ['SYN alone', 'handshake done', 'one byte of a request', 'a request unanswered', 'exchanges done', 'TLS handshake done']
/** Connections that packets are made for at a time. */
const TOGETHER = 64
const CONNECTION_NS = 10_000

const COLUMNS = ['heap', 'arrays', 'shared', 'resident', 'MiB in all', 'records']
/** As bin/lintel starts the agent. */
const FLAGS = ['--expose-gc', '--max-semi-space-size=2']

const [count = 100_000, exchanges = 1, kind] = process.argv.slice(2).map(Number)

/** A TLS handshake, and a few bytes each way. */
const talk = kind === 5 ? await playTls({ server: makeCertificate('/CN=idle.example') }) : undefined

/** The packets of one connection. */
function* packetsOf(upTo: number): Generator<MillPacket> {
  const records = [0, 0]
  const next = [1001, 5001]
  const packet = (side: 0 | 1, flags: string, payload: string | Uint8Array = ''): MillPacket => {
    const sequence = flags.startsWith('S') ? next[side]! - 1 : next[side]!
    next[side]! += payload.length
    const record = records[side]!++
    return {
      isClient: side === 0, flags, payload, sequence, record, hook: HOOK_TCX, acknowledgement: flags === 'S' ? 0 : next[1 - side]!,
      windowScale: flags.startsWith('S') ? 7 : 255, seen: { packets: record + 1, bytes: 0, retransmissions: 0 },
    }
  }
  yield packet(0, 'S')
  if (upTo === 0) return
  yield packet(1, 'SA')
  yield packet(0, 'A')
  if (upTo === 2) yield packet(0, 'PA', 'G')
  if (upTo === 3) yield packet(0, 'PA', REQUEST)
  if (upTo === 5) for (const { side, bytes } of talk!.segments) yield packet(side, 'PA', bytes)
  for (let exchange = 0; upTo === 4 && exchange < exchanges!; exchange++) {
    yield packet(0, 'PA', REQUEST)
    yield packet(1, 'PA', RESPONSE)
  }
}

/** Gives the same packets for one client after the other. */
class Opening extends MadeSource {
  readonly name = 'idle'
  opened = 0
  readonly #mill: PacketMill
  #time = 1e9

  constructor(memory: ByteMemory, upTo: number) {
    super()
    this.#mill = new PacketMill(memory, packetsOf(upTo))
  }

  get ended(): boolean { return this.opened >= count! }

  fill(pointer: number): number {
    let at = pointer
    for (let made = 0; made < TOGETHER && !this.ended; made++) at = this.#mill.stamp(at, this.opened++, this.#time += CONNECTION_NS)
    return at - pointer
  }
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
  const expected = upTo === 4 ? count! * exchanges! : upTo === 5 ? count! : 0
  if (pipeline.connectionsOpen !== count || pipeline.counts.seen !== expected) {
    throw new Error(`Cannot measure: ${pipeline.connectionsOpen} connections are open, ${pipeline.counts.seen} of ${expected} records were seen`)
  }
}

if (kind === undefined) {
  console.log(`${count} connections, ${exchanges} exchanges each; bytes a connection\n`)
  console.log(`${'open with'.padEnd(24)}${COLUMNS.map((name) => name.padStart(12)).join('')}`)
  for (const index of KINDS.keys()) {
    const { status } = spawnSync(process.execPath, [...FLAGS, ...process.argv.slice(1, 2), ...[count, exchanges, index].map(String)],
      { stdio: 'inherit' })
    if (status !== 0) throw new Error(`Cannot measure "${KINDS[index]}": its process ended with ${status}`)
  }
} else measure(KINDS[kind]!, kind)
