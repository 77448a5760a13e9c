/**
 * A flood of connections beside real traffic, as the packets of a source: clients that stay connected and ask now and then, and new
 * ones that ask once and leave.
 *
 * @module
 */
import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import { HOOK_TCX } from '../../../src/capture/mod.ts'
import { MadeSource } from '../../../src/connection/testing/made-source.ts'
import { PacketMill } from '../../../src/connection/testing/packet-mill.ts'
import type { MillPacket } from '../../../src/connection/testing/packet-mill.ts'

/** Connections of the flood between two packets of a real one. */
const STEP = 64
const STEP_NS = 100_000
const REQUEST = 'GET /real HTTP/1.1\r\nHost: a.example\r\nUser-Agent: real/1.0\r\nAccept: application/json\r\n\r\n'
const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'
/** Clients that stay. */
const STAYING = 200
/** The first number of new clients, and of attackers. */
const SHORT = 10_000
const ATTACKERS = 1_000_000

const client = (fields: Partial<MillPacket>): MillPacket => ({
  isClient: true, hook: HOOK_TCX, flags: 'PA', sequence: 1001, acknowledgement: 5001, record: 1, seen: seen(2), ...fields,
})
const server = (fields: Partial<MillPacket>): MillPacket => ({
  isClient: false, hook: HOOK_TCX, flags: 'PA', sequence: 5001, acknowledgement: 1001, record: 1, seen: seen(2), ...fields,
})
const SYN = client({ flags: 'S', sequence: 1000, acknowledgement: 0, record: 0, seen: seen(1), windowScale: 7 })
const SYN_ACK = server({ flags: 'SA', sequence: 5000, record: 0, seen: seen(1), windowScale: 7 })
/** Where both streams are after one exchange. */
const [SENT, ANSWERED] = [1001 + REQUEST.length, 5001 + RESPONSE.length]

/** What each connection of a flood sends. Bare acknowledgements stay in the kernel. */
export const FLOODS = {
  'SYNs without answer': [SYN],
  'one byte each': [SYN, SYN_ACK, client({ payload: 'G' })],
  'a piece of a head each': [SYN, SYN_ACK, client({ payload: `GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ${'x'.repeat(850)}` })],
} as const satisfies Readonly<Record<string, readonly MillPacket[]>>
export type FloodName = keyof typeof FLOODS

export class FloodSource extends MadeSource {
  readonly name = 'flood'
  /** Real exchanges that were answered so far. */
  answered = 0
  time = 1e9
  #step = 0
  readonly #count: number
  readonly #mills: Readonly<Record<'flood' | 'syn' | 'synAck' | 'request' | 'response' | 'ends', PacketMill>>

  /** @param count connections of the flood */
  constructor(memory: ByteMemory, flood: FloodName, count: number) {
    super()
    const mill = (...packets: readonly MillPacket[]): PacketMill => new PacketMill(memory, packets)
    this.#count = count
    this.#mills = {
      flood: mill(...FLOODS[flood]),
      syn: mill(SYN),
      synAck: mill(SYN_ACK),
      request: mill(client({ payload: REQUEST })),
      response: mill(server({ payload: RESPONSE, acknowledgement: SENT })),
      ends: mill(client({ flags: 'FA', sequence: SENT, acknowledgement: ANSWERED, record: 2 }),
        server({ flags: 'FA', sequence: ANSWERED, acknowledgement: SENT + 1, record: 2 })),
    }
  }

  get ended(): boolean { return this.#step * STEP >= this.#count }

  /** One step. */
  fill(pointer: number): number {
    if (this.ended) return 0
    const step = this.#step++
    const { flood, syn, synAck, request, response, ends } = this.#mills
    let at = pointer
    this.time += STEP_NS
    for (let index = 0; index < STEP; index++) at = flood.stamp(at, ATTACKERS + step * STEP + index, this.time)
    at = this.#staying(at, step)
    // Of each new client one packet a step: the flood goes on in between.
    const path = [syn, synAck, request, response, ends]
    for (let age = 0; age < path.length && age <= step; age++) at = path[age]!.stamp(at, SHORT + step - age, this.time)
    if (step >= path.indexOf(response)) this.answered++
    return at - pointer
  }

  /** One that stays asks, and the one is answered that asked in the step before. */
  #staying(pointer: number, step: number): number {
    const { syn, synAck, request, response } = this.#mills
    const stamp = (mill: PacketMill, at: number, step: number): number => {
      const turn = Math.floor(step / STAYING)
      return mill.stamp(at, step % STAYING, this.time, turn * REQUEST.length, turn * RESPONSE.length, turn)
    }
    let at = pointer
    if (step < STAYING) at = synAck.stamp(syn.stamp(at, step, this.time), step, this.time)
    at = stamp(request, at, step)
    if (step === 0) return at
    this.answered++
    return stamp(response, at, step - 1)
  }
}

function seen(packets: number): NonNullable<MillPacket['seen']> {
  return { packets, bytes: 0, retransmissions: 0 }
}

/** Whether a line is the record of a real exchange, whole. */
export function isRealExchange(line: string): boolean {
  return line.includes('"path":"/real"') && line.includes('"status_code":200')
}
