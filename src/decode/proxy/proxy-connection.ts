import type { ByteMemory } from '../../../lib/bytes/mod.ts'
import type { End, Gap, Side, StreamControl, StreamHandler, Turns } from '../../connection/mod.ts'
import { Carry } from '../carry.ts'
import type { ProxyHeader } from '../connection-facts.ts'
import type { MessageSink } from '../message.ts'
import { PROXY_ANOMALY } from './anomaly.ts'
import type { ProxyAnomaly } from './anomaly.ts'
import { binaryLength, HEAD_BYTES, parseProxyBinary, SIGNATURE } from './header-binary.ts'
import { parseProxyLine } from './header-text.ts'

/** PROXY protocol 2.1: the longest line, CR LF included. */
const LINE_BYTES_MAX = 107
const HEADER_BYTES_MAX = HEAD_BYTES + 0xffff
const LF = 0x0a
const CR = 0x0d

export interface ProxyOptions {
  readonly memory: ByteMemory
  readonly control: StreamControl
  readonly sink: MessageSink
  /** Takes both streams from behind the header. */
  readonly inner: StreamHandler
  /** Side that sends the header. */
  readonly side: Side
}

/** A connection that begins with a PROXY header: takes it off, and gives everything else on as it comes. */
export class ProxyConnection implements StreamHandler {
  readonly #options: ProxyOptions
  readonly #carry: Carry
  #isRead = false
  #isGivenUp = false

  constructor(options: ProxyOptions) {
    this.#options = options
    this.#carry = new Carry(options.memory, HEADER_BYTES_MAX)
  }

  data(side: Side, pointer: number, length: number, time: number): void {
    if (this.#isGivenUp) return
    const { inner } = this.#options
    if (this.#isRead || side !== this.#options.side) return inner.data(side, pointer, length, time)
    const taken = this.#take(pointer, length, time)
    if (taken < length && !this.#isGivenUp) inner.data(side, pointer + taken, length - taken, time)
  }

  gap(side: Side, length: number, cause: Gap, time: number): void {
    if (side === this.#options.side && !this.#isRead) {
      this.#tell(PROXY_ANOMALY.headerLost, time)
      this.#over()
    }
    this.#options.inner.gap(side, length, cause, time)
  }

  rest(): number {
    return this.#isRead && !this.#isGivenUp ? this.#options.inner.rest?.() ?? -1 : -1
  }

  passed(turns: Turns): void {
    this.#options.inner.passed!(turns)
  }

  skipped(side: Side, time: number): void {
    this.#options.inner.skipped(side, time)
  }

  end(side: Side, cause: End, time: number): void {
    if (side === this.#options.side && !this.#isRead && !this.#isGivenUp) {
      this.#tell(PROXY_ANOMALY.headerCut, time)
      this.#over()
    }
    this.#options.inner.end(side, cause, time)
  }

  /** @returns bytes that belong to the header */
  #take(pointer: number, length: number, time: number): number {
    const held = this.#carry.length
    const room = Math.min(length, this.#carry.room)
    if (!this.#carry.append(pointer, room)) {
      this.#giveUp(PROXY_ANOMALY.memoryLimit, time)
      return length
    }
    const { u8 } = this.#options.memory
    const bytes = u8.subarray(this.#carry.pointer, this.#carry.pointer + this.#carry.length)
    const size = bytes[0] === SIGNATURE[0] ? binarySize(bytes) : lineSize(bytes)
    if (size === undefined) return length
    if (size < 0) {
      this.#giveUp(PROXY_ANOMALY.header, time)
      return length
    }
    const header = bytes[0] === SIGNATURE[0] ? parseProxyBinary(bytes.subarray(0, size))
      : parseProxyLine(Buffer.from(bytes.subarray(0, size - 2)).toString('latin1'))
    if (header === undefined) this.#tell(PROXY_ANOMALY.header, time)
    else this.#say(header)
    this.#over()
    return size - held
  }

  #say(header: ProxyHeader): void {
    this.#options.sink.proxied?.(this.#options.control, header)
  }

  #over(): void {
    this.#isRead = true
    this.#carry.clear()
  }

  /** Where the header ends cannot be known. */
  #giveUp(anomaly: ProxyAnomaly, time: number): void {
    this.#tell(anomaly, time)
    this.#over()
    this.#isGivenUp = true
    this.#options.control.ignore()
  }

  #tell(anomaly: ProxyAnomaly, time: number): void {
    this.#options.sink.anomaly(this.#options.control, this.#options.side, anomaly, time)
  }
}

/** Bytes of the header; undefined = not known yet or not all there. */
function binarySize(bytes: Uint8Array): number | undefined {
  if (bytes.length < HEAD_BYTES) return undefined
  const size = binaryLength(bytes)
  return bytes.length < size ? undefined : size
}

/** Bytes of the line with its CR LF; undefined = its end is not there yet, -1 = it has none within the bound. */
function lineSize(bytes: Uint8Array): number | undefined {
  const end = bytes.subarray(0, LINE_BYTES_MAX).indexOf(LF)
  if (end > 0) return bytes[end - 1] === CR ? end + 1 : -1
  return bytes.length >= LINE_BYTES_MAX ? -1 : undefined
}
