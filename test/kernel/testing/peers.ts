import { ACK, FIN, PSH, SYN, ethernet, ipv4, tcp } from './frames.ts'
import type { ProgramBench } from './program-bench.ts'

/** A test run takes no larger frame. */
const SEGMENT_MAX = 3000

/** One segment: where in its side's stream it begins, and what it holds. */
export interface Sent { side: 0 | 1; from: number; bytes: Buffer; fin: boolean }

/** Both streams of a connection, sent as the test says; side 0 asks. */
export class Peers {
  readonly bench: ProgramBench
  readonly #port: number
  readonly #start: number
  readonly ends: [number, number] = [0, 0]

  constructor(bench: ProgramBench, port: number, start = 1000) {
    this.bench = bench
    this.#port = port
    this.#start = start
    this.#segment(0, SYN, -1, Buffer.alloc(0))
    this.#segment(1, SYN | ACK, -1, Buffer.alloc(0))
    this.#segment(0, ACK, 0, Buffer.alloc(0))
  }

  #segment(side: 0 | 1, flags: number, from: number, bytes: Buffer): void {
    const sequence = (this.#start + side * 77 + 1 + from) >>> 0
    const acknowledgement = (this.#start + (1 - side) * 77 + 1 + this.ends[1 - side]!) >>> 0
    const ports = side === 0 ? { source: this.#port, destination: 80 } : { source: 80, destination: this.#port }
    const addresses = side === 0 ? {} : { source: '10.0.0.2', destination: '10.0.0.1' }
    this.bench.send(ethernet(0x0800, ipv4(addresses, tcp({ ...ports, flags, sequence, acknowledgement }, bytes))))
  }

  send({ side, from, bytes, fin }: Sent): void {
    this.ends[side] = Math.max(this.ends[side], from + bytes.length)
    this.#segment(side, ACK | (bytes.length > 0 ? PSH : 0) | (fin ? FIN : 0), from, bytes)
  }

  /** The next bytes of a side, as one segment. */
  next(side: 0 | 1, ...parts: Buffer[]): void {
    const bytes = Buffer.concat(parts)
    this.send({ side, from: this.ends[side], bytes, fin: false })
  }
}

/** What a side says before the other does. */
export interface Turn { side: 0 | 1; parts: Buffer[] }

/** Cuts the turns into segments, and lets some come twice, or late. */
export function segmentsOf(turns: readonly Turn[], random: () => number, isRough: boolean): Sent[] {
  const all: Sent[] = []
  const ends: [number, number] = [0, 0]
  for (const { side, parts } of turns) {
    const bytes = Buffer.concat(parts)
    const sent: Sent[] = []
    const large = random() < 0.5 ? 1448 : SEGMENT_MAX
    for (let from = 0; from < bytes.length;) {
      const part = bytes.subarray(from, from + (random() < 0.2 ? 1 + Math.floor(random() * 40) : large))
      sent.push({ side, from: ends[side] + from, bytes: part, fin: false })
      from += part.length
    }
    ends[side] += bytes.length
    for (let at = 1; isRough && at < sent.length; at++) {
      if (random() < 0.05) sent.splice(at + Math.floor(random() * 4), 0, sent[at]!)
      if (random() < 0.05) sent.splice(at + Math.floor(random() * 3), 0, ...sent.splice(at, 1))
    }
    all.push(...sent)
  }
  return all
}
