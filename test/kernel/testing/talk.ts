import assert from 'node:assert/strict'
import { ACK, FIN, SYN, ethernet, ipv4, tcp } from './frames.ts'
import type { Bytes } from './frames.ts'
import { ledgerOff } from './program-bench.ts'
import type { ProgramBench } from './program-bench.ts'
import type { PacketRecord } from './records.ts'

export const CLIENT_START = 1000
const SERVER_START = 5000

/** Where the frames go in. */
type Bench = Pick<ProgramBench, 'send' | 'counters' | 'records'>

/** One connection whose frames a test sends one by one; side 0 is the client's, whose address sorts first. */
export class Talk {
  readonly bench: Bench
  readonly #port: number
  client = CLIENT_START
  server = SERVER_START

  constructor(bench: Bench, port = 40000, start = CLIENT_START, serverStart = SERVER_START) {
    this.bench = bench
    this.#port = port
    this.client = start
    this.server = serverStart
  }

  handshake(): this {
    this.up(SYN, '')
    this.down(SYN | ACK, '')
    this.up(ACK, '')
    return this
  }

  /** Client to server, at the next sequence number or at `sequence`. */
  up(flags: number, payload: Bytes, options: { sequence?: number; program?: string } = {}): void {
    const sequence = (options.sequence ?? this.client) >>> 0
    this.bench.send(ethernet(0x0800, ipv4({}, tcp({
      source: this.#port, flags, sequence, acknowledgement: this.server >>> 0 }, payload))), options.program)
    if (options.sequence === undefined) this.client = (this.client + payload.length + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0)) >>> 0
  }

  down(flags: number, payload: Bytes, options: { sequence?: number; program?: string } = {}): void {
    const sequence = (options.sequence ?? this.server) >>> 0
    this.bench.send(ethernet(0x0800, ipv4({ source: '10.0.0.2', destination: '10.0.0.1' }, tcp({
      source: 80, destination: this.#port, flags, sequence, acknowledgement: this.client >>> 0 }, payload))), options.program)
    if (options.sequence === undefined) this.server = (this.server + payload.length + (flags & SYN ? 1 : 0) + (flags & FIN ? 1 : 0)) >>> 0
  }

  /** What was delivered since the last call; checks the ledger. */
  records(): PacketRecord[] {
    assert.equal(ledgerOff(this.bench.counters()), 0)
    return this.bench.records()
  }

  data(): string[] {
    return this.records().map((record) => record.data.toString('latin1'))
  }
}
