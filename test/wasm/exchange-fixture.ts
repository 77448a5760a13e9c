/**
 * EXCHANGE blocks made from message texts with the real head scanner, through the real privacy wall: for tests of the record
 * writer.
 */
import { ByteMemory } from '../../lib/bytes/mod.ts'
import { FieldTable, JsonEncoder, RecordView } from '../../lib/record/mod.ts'
import { ODDITY_NAMES } from '../../src/decode/oddity.ts'
import { FIELDS, MARK_REASONS } from '../../src/exchange/fields.ts'
import { DEFAULT_PRIVACY, privacySchema, Wall } from '../../src/privacy/mod.ts'
import type { PrivacyInput } from '../../src/privacy/mod.ts'
import { INFO_BLOCK, SCAN_SIMPLE } from '../../wasm/head-contract.ts'
import * as L from '../../wasm/layout.ts'

export interface ExchangeExports {
  scanHead(pointer: number, length: number, from: number, kind: number): number
  headInfo(): number
  writeExchange(exchange: number, out: number, room: number): number
  setClockZero(epochNanoseconds: bigint): void
  setOddityName(bit: number, name: number, length: number): void
  setProtocolName(index: number, name: number, length: number): void
  setInterfaceName(index: number, name: number, length: number): number
  clearInterfaceNames(): void
  setTrusted(prefixes: number, count: number): number
  setRecordInt(record: number, field: number, value: number): number
}

export interface SideFacts {
  mac?: string, ttl?: number, tos?: number, flags?: number, window?: number, windowScale?: number, mss?: number
  packets?: number, retransmissions?: number, resets?: number
}

/** What an exchange is made of; what is missing is not known, or a plain default. */
export interface ExchangeFacts {
  /** Text of HTTP/1, or a head block that was made elsewhere. */
  request?: string | Buffer | number
  response?: string | Buffer | number
  requestTrailer?: string | number
  responseTrailer?: string | number
  /** HTTP/2 stream. */
  stream?: number
  /** gRPC messages of both bodies; -1 = not known. */
  messages?: [number, number]
  isOpen?: boolean
  requestTime?: number
  responseTime?: number
  responseEndTime?: number
  requestBody?: number
  responseBody?: number
  depth?: number
  oddities?: number
  interim?: number[]
  interimHead?: string
  tls?: boolean
  /** PROTOCOL_*; default HTTP. */
  protocol?: number
  marks?: [string, string][]
  /** Addresses of both sides; the client is side 0 unless told. */
  addresses?: [Uint8Array, Uint8Array]
  ports?: [number, number]
  client?: 0 | 1 | 255
  transport?: number
  hook?: number
  interfaceIndex?: number
  ethertype?: number
  vlans?: number[]
  tunnel?: [type: number, id: number]
  handshake?: number
  flags?: number
  sides?: [SideFacts, SideFacts]
}

const ROOM = 4 << 20

export function ipv4(text: string): Uint8Array {
  return Uint8Array.from(text.split('.').map(Number))
}

/** Everything a test needs around one shared memory. */
export class ExchangeFixture {
  readonly memory = new ByteMemory({ imports: Wall.imports() })
  readonly exports = this.memory.exports<ExchangeExports>()
  readonly table = new FieldTable(this.memory, FIELDS, MARK_REASONS)
  readonly view = new RecordView(this.memory, this.table)
  readonly encoder = new JsonEncoder(this.memory, this.table)
  readonly record = this.memory.reserve(ROOM)
  readonly line = this.memory.reserve(6 * ROOM)
  readonly #wall = new Wall(this.memory, DEFAULT_PRIVACY, { fields: { include: ['/./'], exclude: [] } })
  readonly #input = this.memory.reserve(1 << 20)

  constructor() {
    ODDITY_NAMES.forEach((name, bit) => {
      const pointer = this.memory.reserve(name.length)
      this.memory.write(pointer, Buffer.from(name))
      this.exports.setOddityName(bit, pointer, name.length)
    })
  }

  /** Sets the wall's options; fields are all but `exclude`. */
  privacy(options: PrivacyInput, exclude: string[] = []): void {
    this.wall(options, { include: ['/./'], exclude })
  }

  /** Sets the wall's options and which fields are chosen. */
  wall(options: PrivacyInput, fields: { include: string[], exclude: string[] }): void {
    this.#wall.setOptions(privacySchema.parse(options), { fields })
  }

  /** Decisions about names that are too long to be kept: one for each look at such a header. */
  get looks(): number {
    return this.#wall.counters().namesNotKept
  }

  trust(...prefixes: [version: 4 | 6, bits: number, address: Uint8Array][]): boolean {
    const at = this.#input
    prefixes.forEach(([version, bits, address], index) => {
      const bytes = new Uint8Array(20)
      bytes.set([version, bits])
      bytes.set(address, 4)
      this.memory.write(at + index * 20, bytes)
    })
    return this.exports.setTrusted(at, prefixes.length) !== 0
  }

  nameInterface(index: number, name: string): boolean {
    this.memory.write(this.#input, Buffer.from(name))
    return this.exports.setInterfaceName(index, this.#input, name.length) !== 0
  }

  /** A head block; `kind` is HEAD_KIND_*. */
  head(text: string | Buffer, kind: number): number {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
    this.memory.write(this.#input, bytes)
    const scanned = this.exports.scanHead(this.#input, bytes.length, 0, kind)
    if (scanned <= 0) throw new Error(`Cannot scan ${JSON.stringify(bytes.toString('latin1').slice(0, 80))}: ${scanned}`)
    return this.memory.u32[(this.exports.headInfo() + INFO_BLOCK) >>> 2]!
  }

  /** An EXCHANGE block with all that it points to. */
  exchange(facts: ExchangeFacts): number {
    const { memory } = this
    const block = memory.allocator.alloc(L.EXCHANGE_BYTES)
    memory.u8.fill(0, block, block + L.EXCHANGE_BYTES)
    const head = (offset: number, text: string | Buffer | number | undefined, kind: number): void => {
      const made = text === undefined ? 0 : typeof text === 'number' ? text : this.head(text, kind)
      memory.view.setUint32(block + offset, made, true)
    }
    head(L.EXCHANGE_REQUEST, facts.request, L.HEAD_KIND_REQUEST | SCAN_SIMPLE)
    head(L.EXCHANGE_RESPONSE, facts.response, L.HEAD_KIND_RESPONSE)
    head(L.EXCHANGE_REQUEST_TRAILER, facts.requestTrailer, L.HEAD_KIND_TRAILER)
    head(L.EXCHANGE_RESPONSE_TRAILER, facts.responseTrailer, L.HEAD_KIND_TRAILER)
    head(L.EXCHANGE_INTERIM_HEAD, facts.interimHead, L.HEAD_KIND_RESPONSE)
    memory.view.setUint32(block + L.EXCHANGE_CONNECTION, this.#connection(facts), true)
    memory.view.setUint32(block + L.EXCHANGE_DEPTH, facts.depth ?? 1, true)
    memory.u8[block + L.EXCHANGE_PROTOCOL] = facts.protocol ?? L.PROTOCOL_HTTP
    const f64 = (offset: number, value: number | undefined): void => memory.view.setFloat64(block + offset, value ?? -1, true)
    f64(L.EXCHANGE_REQUEST_TIME, facts.requestTime)
    f64(L.EXCHANGE_REQUEST_END_TIME, facts.requestTime)
    f64(L.EXCHANGE_RESPONSE_TIME, facts.responseTime)
    f64(L.EXCHANGE_RESPONSE_END_TIME, facts.responseEndTime)
    f64(L.EXCHANGE_REQUEST_BODY, facts.requestBody)
    f64(L.EXCHANGE_RESPONSE_BODY, facts.responseBody)
    memory.view.setUint32(block + L.EXCHANGE_ODDITIES, facts.oddities ?? 0, true)
    memory.view.setUint32(block + L.EXCHANGE_STREAM, facts.stream ?? 0, true)
    memory.view.setInt32(block + L.EXCHANGE_REQUEST_MESSAGES, facts.messages?.[0] ?? -1, true)
    memory.view.setInt32(block + L.EXCHANGE_RESPONSE_MESSAGES, facts.messages?.[1] ?? -1, true)
    memory.u8[block + L.EXCHANGE_FLAGS] = facts.isOpen === true ? L.EXCHANGE_FLAG_OPEN : 0
    memory.u8[block + L.EXCHANGE_TLS] = facts.tls === true ? 1 : 0
    memory.u8[block + L.EXCHANGE_INTERIM_COUNT] = facts.interim?.length ?? 0
    facts.interim?.forEach((code, index) => memory.view.setUint16(block + L.EXCHANGE_INTERIM + index * 2, code, true))
    memory.u8[block + L.EXCHANGE_MARK_COUNT] = facts.marks?.length ?? 0
    facts.marks?.forEach(([field, reason], index) => {
      memory.view.setUint16(block + L.EXCHANGE_MARKS + index * 4, this.table.id(field), true)
      memory.view.setUint16(block + L.EXCHANGE_MARKS + index * 4 + 2, MARK_REASONS.indexOf(reason as never) + 1, true)
    })
    return block
  }

  #connection(facts: ExchangeFacts): number {
    const { memory } = this
    const block = memory.allocator.alloc(L.CONNECTION_BYTES)
    memory.u8.fill(0, block, block + L.CONNECTION_BYTES)
    const [first, second] = facts.addresses ?? [ipv4('203.0.113.7'), ipv4('192.0.2.1')]
    memory.u8[block + L.CONNECTION_IP_VERSION] = first.length === 16 ? 6 : 4
    memory.u8[block + L.CONNECTION_TRANSPORT] = facts.transport ?? 6
    memory.u8[block + L.CONNECTION_CLIENT] = facts.client ?? 0
    memory.u8[block + L.CONNECTION_FLAGS] = facts.flags ?? 0
    memory.u8[block + L.CONNECTION_HOOK] = facts.hook ?? 1
    memory.write(block + L.CONNECTION_ADDRESS, first)
    memory.write(block + L.CONNECTION_ADDRESS + 16, second)
    const u16 = (offset: number, value: number): void => memory.view.setUint16(block + offset, value, true)
    const u32 = (offset: number, value: number): void => memory.view.setUint32(block + offset, value, true)
    u16(L.CONNECTION_PORT, facts.ports?.[0] ?? 40000)
    u16(L.CONNECTION_PORT + 2, facts.ports?.[1] ?? 80)
    u32(L.CONNECTION_INTERFACE, facts.interfaceIndex ?? 0)
    u16(L.CONNECTION_ETHERTYPE, facts.ethertype ?? 0x0800)
    memory.u8[block + L.CONNECTION_VLAN_COUNT] = facts.vlans?.length ?? 0
    facts.vlans?.slice(0, 2).forEach((tag, index) => u16(L.CONNECTION_VLAN + index * 2, tag))
    memory.u8[block + L.CONNECTION_TUNNEL] = facts.tunnel?.[0] ?? 0
    u32(L.CONNECTION_TUNNEL_ID, facts.tunnel?.[1] ?? 0)
    u32(L.CONNECTION_ID, 77)
    memory.view.setFloat64(block + L.CONNECTION_HANDSHAKE, facts.handshake ?? -1, true)
    facts.sides?.forEach((side, index) => {
      const at = L.CONNECTION_SIDE + index * L.CONNECTION_SIDE_BYTES
      if (side.mac !== undefined) memory.write(block + at + L.SIDE_MAC, Buffer.from(side.mac.replaceAll(':', ''), 'hex'))
      memory.u8[block + at + L.SIDE_TTL] = side.ttl ?? 0
      memory.u8[block + at + L.SIDE_TOS] = side.tos ?? 0
      u16(at + L.SIDE_TCP_FLAGS, side.flags ?? 0)
      u16(at + L.SIDE_WINDOW, side.window ?? 0)
      memory.u8[block + at + L.SIDE_WINDOW_SCALE] = side.windowScale ?? 255
      u16(at + L.SIDE_MSS, side.mss ?? 0)
      u32(at + L.SIDE_PACKETS, side.packets ?? 1)
      u32(at + L.SIDE_RETRANSMISSIONS, side.retransmissions ?? 0)
      u32(at + L.SIDE_RESETS, side.resets ?? 0)
    })
    return block
  }

  /** Gives back an exchange and its blocks. */
  free(exchange: number): void {
    const { memory } = this
    const trailers = [L.EXCHANGE_REQUEST_TRAILER, L.EXCHANGE_RESPONSE_TRAILER]
    for (const offset of [L.EXCHANGE_REQUEST, L.EXCHANGE_RESPONSE, ...trailers, L.EXCHANGE_INTERIM_HEAD]) {
      const head = memory.u32[(exchange + offset) >>> 2]!
      if (head !== 0) memory.allocator.free(head, memory.u32[(head + L.HEAD_BYTES) >>> 2]!)
    }
    memory.allocator.free(memory.u32[(exchange + L.EXCHANGE_CONNECTION) >>> 2]!, L.CONNECTION_BYTES)
    memory.allocator.free(exchange, L.EXCHANGE_BYTES)
  }

  /** The record of an exchange as its JSON says it, by dotted field name. */
  fields(facts: ExchangeFacts): Map<string, unknown> {
    const exchange = this.exchange(facts)
    const length = this.exports.writeExchange(exchange, this.record, ROOM)
    this.free(exchange)
    if (length === 0) throw new Error('the record does not fit')
    if (this.memory.u32[this.record >>> 2] !== length) throw new Error('the record tells another length')
    const bytes = this.encoder.encode(this.record, this.line, 6 * ROOM)
    const json = JSON.parse(Buffer.from(this.memory.read(this.line, bytes)).toString()) as unknown
    const fields = new Map<string, unknown>()
    for (const { name } of FIELDS) {
      let value = json as Record<string, unknown> | undefined
      for (const segment of name.split('.')) value = value?.[segment] as Record<string, unknown> | undefined
      if (value !== undefined) fields.set(name, value)
    }
    const ids = [...this.view.at(this.record)].map(([id]) => this.table.field(id).name)
    const shown = [...fields.keys()].join()
    if (ids.join() !== shown) throw new Error(`JSON shows ${shown}, the record ${ids.join()}`)
    return fields
  }
}
